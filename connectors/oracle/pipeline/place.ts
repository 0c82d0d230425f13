/** 1-based, in the file that a person looks at. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Where a character of a text lies in the file that the text is part of. */
export type Locate = (offset: number) => Place;

/** For a text that is a file of its own. */
export function locateIn(text: string): Locate {
  return (offset) => {
    const before = text.slice(0, Math.max(0, offset));
    const lineStart = before.lastIndexOf('\n') + 1;
    return { line: before.split('\n').length, column: before.length - lineStart + 1 };
  };
}
