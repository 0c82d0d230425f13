import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { NetworksService } from '#networks';
import { Answers, AuditLog, CurrentCaller, Scopes, ZodBody, type Caller } from '#platform';
import { PatchbayError, z } from '#sdk';
import { SignerSuspensions, type Suspension } from './signer-suspensions.js';

const suspendBody = z.strictObject({
  reason: z.string().trim().min(1).max(500),
  network: z.string().optional().meta({ description: 'Default: every network.' }),
});
const resumeBody = z.strictObject({ network: z.string().optional() });
const suspensionsAnswer = z.object({
  suspensions: z.array(
    z.object({
      address: z.string(),
      chainId: z.number().int(),
      network: z.string().nullable(),
      reason: z.string(),
      since: z.iso.datetime(),
    }),
  ),
});

interface SuspensionsView {
  readonly suspensions: readonly (Suspension & { readonly network: string | null })[];
}

@Controller('api')
export class SuspensionsController {
  constructor(
    private readonly suspensions: SignerSuspensions,
    private readonly networks: NetworksService,
    private readonly audit: AuditLog,
  ) {}

  @Answers('Lists what is suspended', suspensionsAnswer)
  @Get('suspensions')
  @Scopes('chain:read')
  async list(): Promise<SuspensionsView> {
    return this.#view(await this.suspensions.list());
  }

  @Answers('Keeps a signer from accepting transactions; what it accepted goes on', suspensionsAnswer)
  @Post('signers/:name/suspend')
  @HttpCode(200)
  @Scopes('chain:send')
  async suspend(
    @Param('name') name: string,
    @ZodBody(suspendBody) { reason, network }: z.output<typeof suspendBody>,
    @CurrentCaller() caller: Caller,
  ): Promise<SuspensionsView> {
    const chainIds = await this.#chains(network, caller);
    const suspended = await this.suspensions.suspend(name, chainIds, reason);
    await this.audit.write({
      actor: caller.name,
      action: 'signer.suspend',
      subject: name,
      detail: { chainIds, reason },
    });
    return this.#view(suspended);
  }

  @Answers('Lets a signer accept transactions again', suspensionsAnswer)
  @Post('signers/:name/resume')
  @HttpCode(200)
  @Scopes('chain:send')
  async resume(
    @Param('name') name: string,
    @ZodBody(resumeBody) { network }: z.output<typeof resumeBody>,
    @CurrentCaller() caller: Caller,
  ): Promise<SuspensionsView> {
    const chainIds = await this.#chains(network, caller);
    const suspended = await this.suspensions.resume(name, chainIds);
    await this.audit.write({ actor: caller.name, action: 'signer.resume', subject: name, detail: { chainIds } });
    return this.#view(suspended);
  }

  /** Whoever is limited does not decide about signers that others use too. */
  async #chains(network: string | undefined, caller: Caller): Promise<readonly number[]> {
    if (caller.limits) {
      throw new PatchbayError('auth.forbidden', { detail: `The key "${caller.name}" has limits on what it may send` });
    }
    if (network !== undefined) return [(await this.networks.get(network)).chainId];
    const all = this.networks.chainIds();
    if (all.length > 0) return all;
    throw new PatchbayError('connection.notFound', {
      detail: 'There is no network.',
      fix: 'Declare one under networks: in patchbay.yaml.',
    });
  }

  #view(suspensions: readonly Suspension[]): SuspensionsView {
    return {
      suspensions: suspensions.map((one) => ({ ...one, network: this.networks.findName(one.chainId) ?? null })),
    };
  }
}
