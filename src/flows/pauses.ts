/**
 * Which flows are paused, by the newest word about each: what was asked for before it changes nothing, however late the
 * answer is.
 */
export class Pauses {
  #asked = 0;
  readonly #known = new Map<string, { readonly isPaused: boolean; readonly asked: number }>();

  isPaused(flow: string): boolean {
    return this.#known.get(flow)?.isPaused ?? false;
  }

  /** This process has written it. */
  set(flow: string, isPaused: boolean): void {
    this.#known.set(flow, { isPaused, asked: this.ask() });
  }

  /** @returns what its answer is given back with */
  ask(): number {
    return ++this.#asked;
  }

  /** @returns whether the flow is paused or resumed by it */
  answer(asked: number, flow: string, isPaused: boolean): boolean {
    if ((this.#known.get(flow)?.asked ?? 0) > asked) return false;
    const isChanged = this.isPaused(flow) !== isPaused;
    this.#known.set(flow, { isPaused, asked });
    return isChanged;
  }
}
