import type { LoggerService } from '@nestjs/common';

import type { Logger } from '#sdk';

/** Nest's own words, for the one who is searching; only what it calls an error is one. */
export class NestLog implements LoggerService {
  constructor(private readonly sink: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.sink.debug('Nest', { text: message, rest });
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.sink.warn('Nest', { text: message, rest });
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.sink.error('Nest', { text: message, rest });
  }
}
