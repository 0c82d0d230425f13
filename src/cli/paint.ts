import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Styles text for the terminal, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string;

export function createPaint(isColoured: boolean): Paint {
  return isColoured ? (style, text) => styleText(style, text, { validateStream: false }) : (_style, text) => text;
}

/** How many columns a text takes, without its styling. */
export function widthOf(text: string): number {
  return [...plain(text)].length;
}

function plain(text: string): string {
  return text.replace(/\u001b\[[0-9;]*m/g, '');
}
