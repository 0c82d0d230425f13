import type { Fault } from '#sdk';

/** Elements that the lists of one call may have together. */
const maxElements = 10_000;
/** Faults that are told; a long list of wrong values would otherwise answer with more than it was sent. */
const maxFaults = 100;

/**
 * One writing of values, and everything that is wrong with them. It knows where it stands, so that a fault names the
 * input: what is entered must be left.
 */
export class Writing {
  readonly #root: string;
  readonly #keys: (string | number)[] = [];
  readonly #names: string[] = [];
  readonly #faults: Fault[] = [];
  #count = 0;
  #elements = maxElements;

  /** `root` is the pointer to the arguments as a whole. */
  constructor(root: string) {
    this.#root = root;
  }

  get faults(): readonly Fault[] {
    return this.#faults;
  }

  /** How many there are, told or not. */
  get faultCount(): number {
    return this.#count;
  }

  enterMember(key: string | number, name: string): void {
    this.#keys.push(key);
    this.#names.push(this.#names.length === 0 ? name : `.${name}`);
  }

  enterElement(index: number): void {
    this.#keys.push(index);
    this.#names.push(`[${String(index)}]`);
  }

  leave(): void {
    this.#keys.pop();
    this.#names.pop();
  }

  /** False, and a fault, when that many more elements are too many. */
  take(elements: number): boolean {
    if (elements <= this.#elements) {
      this.#elements -= elements;
      return true;
    }
    this.refuse(`makes more than ${maxElements.toLocaleString('en')} elements in all`);
    return false;
  }

  /** What is wrong at this place, as the rest of a sentence that begins with its name. Gives digits to go on with. */
  refuse(words: string): '' {
    this.#count++;
    if (this.#faults.length < maxFaults) {
      this.#faults.push({
        pointer: this.#root + this.#keys.map((key) => `/${escape(String(key))}`).join(''),
        detail: `${this.#names.join('') || 'The arguments'} ${words}`,
      });
    }
    return '';
  }
}

function escape(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
