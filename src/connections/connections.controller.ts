import { Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { Answers, AuditLog, CurrentCaller, Scopes, ZodBody, type Caller } from '#platform';
import { z } from '#sdk';
import { connectionAnswer } from './connections.schema.js';
import { ConnectionsService, type ConnectionView } from './connections.service.js';

const newConnection = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be lower case letters, digits and hyphens'),
  connector: z.string(),
  settings: z.record(z.string(), z.unknown()).default({}),
});

@Controller('api/connections')
export class ConnectionsController {
  constructor(
    private readonly connections: ConnectionsService,
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

  @Answers('Opens a connection to see whether it works', z.object({ works: z.literal(true) }))
  @Post(':name/test')
  @HttpCode(200)
  @Scopes('connections:write')
  async test(@Param('name') name: string): Promise<{ works: true }> {
    await this.connections.test(name, AbortSignal.timeout(20_000));
    return { works: true };
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
