import { createApp } from './app.js';

/**
 * Zapier's rules forbid apps that move assets, so the creates that do are left out unless whoever pushes the app says
 * otherwise, and answers for it: see README.md.
 */
export default createApp({ movesAssets: process.env['PATCHBAY_ZAPIER_MOVES_ASSETS'] === 'on' });
