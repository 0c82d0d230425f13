export interface RowError {
  readonly message: string;
  readonly errorCode: string;
  readonly fields?: readonly string[];
}

/** What the REST API answers instead of a result: a status and a list of errors. */
export class RestError extends Error {
  readonly errors: readonly RowError[];

  constructor(
    readonly status: number,
    errorCode: string,
    message: string,
    fields?: readonly string[],
  ) {
    super(message);
    this.errors = [{ message, errorCode, ...(fields === undefined ? {} : { fields }) }];
  }

  get first(): RowError {
    return this.errors[0] ?? { message: this.message, errorCode: 'UNKNOWN_EXCEPTION' };
  }
}

export function noSuchResource(): RestError {
  return new RestError(404, 'NOT_FOUND', 'The requested resource does not exist');
}
