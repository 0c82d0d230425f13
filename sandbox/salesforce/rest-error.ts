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

/** Several rows hold the value of an external id: over REST 300 with their addresses, in a collection an error of the row. */
export class MultipleMatches extends RestError {
  constructor(
    readonly object: string,
    field: string,
    readonly ids: readonly string[],
  ) {
    super(
      300,
      'DUPLICATE_EXTERNAL_ID',
      `${field}: more than one record found for external id field: [${ids.join(', ')}]`,
    );
  }
}

export function noSuchResource(): RestError {
  return new RestError(404, 'NOT_FOUND', 'The requested resource does not exist');
}
