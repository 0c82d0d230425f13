/** The chain, without any framework. */
export { compileLogDecoder } from './log-decoder.js';
