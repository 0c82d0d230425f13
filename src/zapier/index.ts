/** The hub as an app at Zapier: what Zaps begin with, what they do, and a ledger of what each was told. */
export { ZapierController } from './zapier.controller.js';
export { zapierServices, type ZapierServices } from './zapier-services.js';
