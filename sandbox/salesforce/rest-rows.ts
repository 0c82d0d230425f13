import { createHash } from 'node:crypto';
import { describeBrief, describeFull } from './describe.js';
import { stampOf } from './field-values.js';
import { isPlatformEvent } from './platform-events.js';
import { checkPushTopic } from './push-topics.js';
import { parseRecordId } from './record-id.js';
import { MultipleMatches, noSuchResource, RestError } from './rest-error.js';
import {
  fieldName,
  fieldsOf,
  meetLock,
  methodNotAllowed,
  presented,
  type Org,
  type RestAnswer,
  type RestRequest,
} from './rest-request.js';
import type { Row } from './soql-rows.js';

/** `/sobjects`: what there is, one row at a time, and what changed within a span of time. */
export class RowResources {
  readonly #org: Org;

  constructor(org: Org) {
    this.#org = org;
  }

  answer(request: RestRequest, [name, second, third]: readonly string[]): RestAnswer {
    const { records } = this.#org;
    if (name === undefined) {
      const sobjects = records.schema.list().map((object) => describeBrief(object, request.version));
      return { status: 200, body: { encoding: 'UTF-8', maxBatchSize: 200, sobjects } };
    }
    const object = records.object(name);
    if (second === undefined) return this.#object(request, object.name);
    if (second === 'describe') return { status: 200, body: describeFull(object, request.version) };
    if (second === 'updated' || second === 'deleted') return this.#changed(request, object.name, second);
    if (object.name === 'ContentVersion' && third === 'VersionData') return this.#file(second);
    return third === undefined
      ? this.#row(request, object.name, second)
      : this.#externalRow(request, object.name, second, third);
  }

  /** Creates or changes a row. @returns the body of the answer: id and success */
  write(request: RestRequest, object: string, fields: Row, id?: string): Row {
    const { records, platformEvents } = this.#org;
    if (isPlatformEvent(object)) {
      if (id !== undefined) throw methodNotAllowed(request.method);
      return platformEvents.publish(records.object(object), fields, request.writer.userId);
    }
    const row = records.transaction(() => {
      const written =
        id === undefined
          ? records.create(object, withDefaults(object, fields), request.writer)
          : records.update(object, id, fields, request.writer);
      if (object === 'PushTopic') checkPushTopic(written, records);
      if (object === 'ContentVersion' && id === undefined) this.#keepDocument(request, written);
      return written;
    });
    return { id: row['Id'], success: true, errors: [] };
  }

  #object(request: RestRequest, object: string): RestAnswer {
    const { records } = this.#org;
    if (request.method === 'GET') {
      const objectDescribe = describeBrief(records.object(object), request.version);
      return { status: 200, body: { objectDescribe, recentItems: [] } };
    }
    if (request.method !== 'POST') throw methodNotAllowed(request.method);
    meetLock(this.#org, request);
    return { status: 201, body: this.write(request, object, fieldsOf(request.body)) };
  }

  #row(request: RestRequest, object: string, id: string): RestAnswer {
    const { records } = this.#org;
    const row = records.get(object, id);
    if (request.method === 'GET') return this.#shown(request, object, row);
    meetLock(this.#org, request);
    checkUnmodified(request, row);
    if (request.method === 'PATCH') {
      this.write(request, object, fieldsOf(request.body), parseRecordId(id) ?? id);
      return { status: 204 };
    }
    if (request.method !== 'DELETE') throw methodNotAllowed(request.method);
    records.delete(object, id, request.writer);
    return { status: 204 };
  }

  #externalRow(request: RestRequest, object: string, field: string, value: string): RestAnswer {
    const { records } = this.#org;
    try {
      return this.#upserted(request, object, field, value);
    } catch (error) {
      if (!(error instanceof MultipleMatches)) throw error;
      const urls = error.ids.map(
        (id) => `/services/data/v${request.version}/sobjects/${records.object(object).name}/${id}`,
      );
      return { status: 300, body: urls };
    }
  }

  #upserted(request: RestRequest, object: string, field: string, value: string): RestAnswer {
    const { records } = this.#org;
    const isId = field.toLowerCase() === 'id';
    const found = isId ? records.get(object, value) : records.findByExternalId(object, field, value);
    if (request.method === 'GET' || request.method === 'DELETE') {
      if (found === undefined) throw noSuchResource();
      if (request.method === 'GET') return this.#shown(request, object, found);
      records.delete(object, String(found['Id']), request.writer);
      return { status: 204 };
    }
    if (request.method !== 'PATCH') throw methodNotAllowed(request.method);
    if (found === undefined && request.query.get('updateOnly') === 'true') throw noSuchResource();
    meetLock(this.#org, request);
    if (found !== undefined) checkUnmodified(request, found);
    const { row, isCreated } = records.transaction(() => {
      const upserted = records.upsert(object, field, value, fieldsOf(request.body), request.writer);
      if (object === 'PushTopic') checkPushTopic(upserted.row, records);
      return upserted;
    });
    const body = { id: row['Id'], success: true, errors: [], created: isCreated };
    if (isCreated) return { status: 201, body };
    return Number(request.version) >= 46 ? { status: 200, body } : { status: 204 };
  }

  #shown(request: RestRequest, object: string, row: Row): RestAnswer {
    const modified = Date.parse(String(row['LastModifiedDate']));
    const since = Date.parse(request.headers['if-modified-since'] ?? '');
    if (modified <= since) return { status: 304 };
    checkUnmodified(request, row);
    const { compounds } = this.#org.records.object(object);
    const addresses = Object.keys(compounds).filter((name) => name.endsWith('Address'));
    const names = request.query.get('fields')?.split(',') ?? [...Object.keys(row), ...addresses];
    return {
      status: 200,
      body: presented(
        this.#org,
        object,
        row,
        names.map((name) => fieldName(this.#org, object, name)),
        request.version,
      ),
      headers: { 'last-modified': new Date(modified).toUTCString() },
    };
  }

  #changed({ query }: RestRequest, object: string, kind: 'updated' | 'deleted'): RestAnswer {
    const { records, now } = this.#org;
    // Seconds are ignored.
    const [start, end] = ['start', 'end'].map((name) => wholeMinutes(query.get(name)));
    if (start === undefined || end === undefined || Number.isNaN(start + end)) {
      throw new RestError(400, 'MISSING_ARGUMENT', 'start and end must be given as date-times');
    }
    if (end - start < 60_000)
      throw new RestError(
        400,
        'INVALID_REPLICATION_DATE',
        'endDate must be at least one minute greater than startDate',
      );
    if (now().getTime() - start > 30 * 86_400_000) {
      throw new RestError(400, 'INVALID_REPLICATION_DATE', 'startDate is more than 30 days ago');
    }
    const latestDateCovered = stampOf(new Date(Math.min(end, now().getTime())));
    const within = (row: Row, field: string) => {
      const at = Date.parse(String(row[field]));
      return at >= start && at < end;
    };
    if (kind === 'updated') {
      const rows = records.list(object).filter((row) => within(row, 'SystemModstamp'));
      return { status: 200, body: { ids: rows.map((row) => row['Id']), latestDateCovered } };
    }
    const bin = records.deleted(object);
    const earliest = bin.map((row) => String(row['SystemModstamp'])).sort()[0] ?? latestDateCovered;
    return {
      status: 200,
      body: {
        deletedRecords: bin
          .filter((row) => within(row, 'SystemModstamp'))
          .map((row) => ({ id: row['Id'], deletedDate: row['SystemModstamp'] })),
        earliestDateAvailable: earliest,
        latestDateCovered,
      },
    };
  }

  /** Every version belongs to a document, which is linked to where it is published. */
  #keepDocument({ writer }: RestRequest, version: Row): void {
    const { records } = this.#org;
    const data = Buffer.from(String(version['VersionData'] ?? ''), 'base64');
    if (data.length === 0) {
      throw new RestError(400, 'REQUIRED_FIELD_MISSING', 'Required fields are missing: [VersionData]', ['VersionData']);
    }
    if (version['ContentDocumentId'] != null) return;
    const Title = version['Title'] ?? version['PathOnClient'] ?? 'Untitled';
    const document = records.create('ContentDocument', { Title, LatestPublishedVersionId: version['Id'] }, writer);
    const Checksum = createHash('md5').update(data).digest('hex');
    records.update('ContentVersion', String(version['Id']), { ContentDocumentId: document['Id'], Checksum }, writer);
    const place = version['FirstPublishLocationId'];
    if (place == null) return;
    const link = { ContentDocumentId: document['Id'], LinkedEntityId: place, ShareType: 'V' };
    records.create('ContentDocumentLink', link, writer);
  }

  #file(id: string): RestAnswer {
    const data = Buffer.from(String(this.#org.records.get('ContentVersion', id)['VersionData']), 'base64');
    return { status: 200, content: { type: 'application/octetstream', data } };
  }
}

function withDefaults(object: string, fields: Row): Row {
  if (object !== 'PushTopic') return fields;
  const on = { IsActive: true, NotifyForFields: 'Referenced' };
  const operations = Object.fromEntries(
    ['Create', 'Update', 'Delete', 'Undelete'].map((operation) => [`NotifyForOperation${operation}`, true]),
  );
  return { ...on, ...operations, ...fields };
}

function checkUnmodified({ headers }: RestRequest, row: Row): void {
  const text = headers['if-unmodified-since'];
  if (text === undefined) return;
  const limit = Date.parse(text);
  if (Number.isNaN(limit)) throw new RestError(400, 'INVALID_INPUT', 'If-Unmodified-Since is not an HTTP date');
  // Whole seconds: two edits within one second are not told apart.
  if (Date.parse(String(row['LastModifiedDate'])) <= limit) return;
  throw new RestError(412, 'PRECONDITION_FAILED', 'The record was modified since the given date');
}

function wholeMinutes(text: string | null): number {
  const at = Date.parse((text ?? '').replace(' ', '+'));
  return Math.floor(at / 60_000) * 60_000;
}
