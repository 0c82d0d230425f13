import { createHash } from 'node:crypto';
import { defineAction, PatchbayError, z } from '#sdk';
import { salesforceOrg } from './connection.js';
import { recordId } from './field-schemas.js';
import type { SalesforceClient } from './salesforce.client.js';
import { bindSoql } from './soql-parameters.js';

const mostBytes = 20 * 1024 * 1024;

export const uploadFile = defineAction({
  title: 'Upload a file',
  summary: 'Keeps a file in the org, attached to a record where one is named.',
  connection: salesforceOrg,
  input: z.object({
    name: z
      .string()
      .min(1)
      .max(255)
      .meta({ title: 'File name', examples: ['receipt.txt'] }),
    content: z.string().min(1).meta({ title: 'Content' }),
    encoding: z.enum(['text', 'base64']).default('text').meta({ title: 'The content is' }),
    record: recordId().optional().meta({ title: 'Attach to', description: 'Id of a record.' }),
    description: z.string().max(1_000).optional().meta({ title: 'Description' }),
  }),
  output: z.object({ id: z.string(), documentId: z.string(), created: z.boolean() }),
  examples: [{ name: 'receipt.txt', content: 'Transfer of 25000 to 0x5fbd…', record: '006000000000001AAA' }],
  repeatable:
    'A later attempt first looks for a file of the same name and content that was uploaded to the same record, and takes it.',
  async run({ input: { name, content, encoding, record, description }, client, signal, attempt }) {
    const bytes = Buffer.from(content, encoding === 'base64' ? 'base64' : 'utf8');
    if (bytes.length === 0 || bytes.length > mostBytes) {
      throw new PatchbayError('salesforce.data', {
        detail: `The file ${name} has ${bytes.length} bytes; from 1 to ${mostBytes} can be uploaded`,
      });
    }
    const earlier = attempt > 1 ? await uploaded(client, { name, bytes, record }, signal) : undefined;
    if (earlier !== undefined) return { ...earlier, created: false };
    const { id } = await client.call<{ readonly id: string }>(
      {
        method: 'POST',
        url: '/sobjects/ContentVersion',
        action: `Uploading the file ${name}`,
        body: {
          Title: titleOf(name),
          PathOnClient: name,
          VersionData: bytes.toString('base64'),
          ...(record !== undefined && { FirstPublishLocationId: record }),
          ...(description !== undefined && { Description: description }),
        },
      },
      signal,
    );
    const version = await client.retrieve('ContentVersion', id, ['ContentDocumentId'], signal);
    return { id, documentId: String(version['ContentDocumentId']), created: true };
  },
});

async function uploaded(
  client: SalesforceClient,
  { name, bytes, record }: { readonly name: string; readonly bytes: Buffer; readonly record: string | undefined },
  signal: AbortSignal,
): Promise<{ id: string; documentId: string } | undefined> {
  // Without a record the file is published to a library of the user, whose id nobody here knows.
  const place = record === undefined ? '' : ' AND FirstPublishLocationId = :record';
  const soql = bindSoql(
    `SELECT Id, ContentDocumentId FROM ContentVersion WHERE Checksum = :checksum AND PathOnClient = :name${place}`,
    { checksum: createHash('md5').update(bytes).digest('hex'), name, ...(record !== undefined && { record }) },
  );
  const [found] = (await client.query(soql, 1, signal)).records;
  return found === undefined ? undefined : { id: String(found['Id']), documentId: String(found['ContentDocumentId']) };
}

/** Salesforce shows the title without the ending. */
function titleOf(name: string): string {
  return name.replace(/(?<=.)\.[^.]*$/, '');
}
