/**
 * Does it with each, a few at a time: who waits for a connection to the database among hundreds gives up on a machine
 * that pauses.
 */
export async function inTurns<T>(all: readonly T[], act: (one: T) => Promise<unknown>, atOnce = 20): Promise<void> {
  for (let begin = 0; begin < all.length; begin += atOnce) {
    await Promise.all(all.slice(begin, begin + atOnce).map((one) => act(one)));
  }
}
