/** The hub as a service of IFTTT: triggers that flows publish to or that the hub watches for, actions, queries, Realtime. */
export { IftttController, IftttOauthController, IftttSheetController } from './ifttt.controller.js';
export { iftttErrors } from './ifttt-answer.js';
export { iftttServices, type IftttServices } from './ifttt-services.js';
