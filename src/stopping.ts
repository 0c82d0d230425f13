/** Says how a part is stopped; parts are stopped in the opposite order of their start. */
export type OnStop = (what: string, end: () => Promise<unknown> | void) => void;
