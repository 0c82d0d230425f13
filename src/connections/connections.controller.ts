import { Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { Catalog } from '#catalog';
import { Answers, AuditLog, CurrentCaller, Scopes, ZodBody, ZodPath, type Caller } from '#platform';
import { z, type RemoteObject, type RemoteObjectDetail } from '#sdk';
import { browse } from './connection-objects.js';
import { connectionAnswer, objectAnswer, objectsAnswer } from './connections.schema.js';
import type { ConnectionView } from './connection-view.js';
import { ConnectionsService } from './connections.service.js';

const objectPath = z.object({
  name: z.string(),
  object: z.string().regex(/^[A-Za-z]\w{0,79}$/, 'must be a name: letters, digits and underscores'),
});

const newConnection = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be lower case letters, digits and hyphens'),
  connector: z.string(),
  settings: z.record(z.string(), z.unknown()).default({}),
});

const returnAddress = z
  .url({ protocol: /^https?$/ })
  .meta({ description: 'Where the browser comes back to; the app of the other side must know it.' });

const newAuthorization = z.strictObject({
  redirectUri: returnAddress,
  state: z.string().min(16).max(200),
  challenge: z.string().regex(/^[\w-]{43}$/, 'must be a SHA-256 in base64url'),
});

const authorizationCode = z.strictObject({
  code: z.string().min(1),
  redirectUri: returnAddress,
  verifier: z.string().min(43).max(128),
});

@Controller('api/connections')
export class ConnectionsController {
  constructor(
    private readonly connections: ConnectionsService,
    private readonly catalog: Catalog,
    private readonly audit: AuditLog,
  ) {}

  @Answers('Lists the connections, without their secrets', z.object({ connections: z.array(connectionAnswer) }))
  @Get()
  @Scopes('connections:read')
  list(): { connections: ConnectionView[] } {
    return { connections: this.connections.list() };
  }

  @Answers('Adds a connection; its secrets are kept encrypted', connectionAnswer, 201)
  @Post()
  @Scopes('connections:write')
  async add(
    @ZodBody(newConnection) body: z.output<typeof newConnection>,
    @CurrentCaller() caller: Caller,
  ): Promise<ConnectionView> {
    const view = await this.connections.add(body);
    await this.audit.write({ actor: caller.name, action: 'connection.add', subject: body.name });
    return view;
  }

  @Answers(
    'Opens a connection to see whether it works',
    z.object({ works: z.literal(true), status: connectionAnswer.shape.status }),
  )
  @Post(':name/test')
  @HttpCode(200)
  @Scopes('connections:write')
  async test(@Param('name') name: string): Promise<{ works: true; status?: ConnectionView['status'] }> {
    return { works: true, ...(await this.connections.test(name, AbortSignal.timeout(20_000))) };
  }

  @Answers('Lists what there is on the other side of a connection, such as the objects of an org', objectsAnswer)
  @Get(':name/objects')
  @Scopes('connections:write')
  async objects(@Param('name') name: string): Promise<{ objects: readonly RemoteObject[] }> {
    const signal = AbortSignal.timeout(20_000);
    const objects = await browse(this.connections, this.catalog, name, (all, client) => all.list(client, signal));
    return { objects };
  }

  @Answers('Tells of one object: its fields, and the record that was changed last', objectAnswer)
  @Get(':name/objects/:object')
  @Scopes('connections:write')
  async object(
    @ZodPath(objectPath) { name, object }: z.output<typeof objectPath>,
  ): Promise<Omit<RemoteObjectDetail, 'sample'> & { sample: Readonly<Record<string, unknown>> | null }> {
    const signal = AbortSignal.timeout(20_000);
    const detail = await browse(this.connections, this.catalog, name, (objects, client) =>
      objects.describe(client, object, signal),
    );
    return { ...detail, sample: detail.sample ?? null };
  }

  @Answers('Begins to let the hub in with a browser: tells where to send it', z.object({ url: z.string() }))
  @Post(':name/authorization')
  @HttpCode(200)
  @Scopes('connections:write')
  authorizationAddress(
    @Param('name') name: string,
    @ZodBody(newAuthorization) body: z.output<typeof newAuthorization>,
  ): { url: string } {
    return { url: this.connections.authorisationAddress(name, body) };
  }

  @Answers('Takes the code the browser came back with; what it gives is kept encrypted', undefined, 204)
  @Post(':name/authorization/code')
  @HttpCode(204)
  @Scopes('connections:write')
  async authorize(
    @Param('name') name: string,
    @ZodBody(authorizationCode) body: z.output<typeof authorizationCode>,
    @CurrentCaller() caller: Caller,
  ): Promise<void> {
    await this.connections.authorise(name, body);
    await this.audit.write({ actor: caller.name, action: 'connection.authorize', subject: name });
  }

  @Answers('Removes a connection', undefined, 204)
  @Delete(':name')
  @HttpCode(204)
  @Scopes('connections:write')
  async remove(@Param('name') name: string, @CurrentCaller() caller: Caller): Promise<void> {
    await this.connections.remove(name);
    await this.audit.write({ actor: caller.name, action: 'connection.remove', subject: name });
  }
}
