/** The hub as an external adapter of oracles, and what steps keep that ask adapters elsewhere. */
export { OracleController } from './oracle.controller.js';
export { oracleServices, type OracleServices } from './oracle-services.js';
