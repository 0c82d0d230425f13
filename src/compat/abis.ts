import type { ContractsService, InterfacesService, KnownContract, StoredInterface } from '#gateway';
import { PatchbayError } from '#sdk';
import type { CompatSettings } from './compat-settings.js';

type Json = Readonly<Record<string, unknown>>;

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Interfaces and contracts of the gateway, as old clients see them. */
export class OldAbis {
  constructor(
    private readonly parts: {
      readonly interfaces: InterfacesService;
      readonly contracts: ContractsService;
      readonly settings: CompatSettings;
    },
  ) {}

  /** By the id of old clients, or by name, with or without a version. @throws gateway.unknownInterface */
  async get(reference: string): Promise<StoredInterface> {
    const { interfaces } = this.parts;
    return await (uuid.test(reference) ? interfaces.byId(reference) : interfaces.byReference(reference));
  }

  async list(): Promise<Json[]> {
    const all = await this.parts.interfaces.list();
    return all.map(({ id, name, isDeployable, createdAt, compiler }) => ({
      ...this.#links(id),
      created: createdAt.toISOString(),
      name,
      deployable: isDeployable,
      ...(compiler && { compilerVersion: compiler.version }),
    }));
  }

  view({ id, name, bytecode, createdAt, compiler, docs }: StoredInterface): Json {
    return {
      ...this.#links(id),
      created: createdAt.toISOString(),
      name,
      description: textIn(docs?.devdoc, 'details') ?? textIn(docs?.userdoc, 'notice') ?? '',
      deployable: bytecode !== undefined,
      ...(compiler && { compilerVersion: compiler.version }),
    };
  }

  async contracts(network: string | undefined): Promise<Json[]> {
    const ids = new Map((await this.parts.interfaces.list()).map((one) => [`${one.name}@${one.version}`, one.id]));
    const all = await this.parts.contracts.list(network);
    return all.map((contract) => this.#contractView(contract, ids.get(`${contract.interface}@${contract.version}`)));
  }

  async contract(contract: KnownContract): Promise<Json> {
    const { interface: name, version } = contract;
    const known = name === undefined ? undefined : await this.parts.interfaces.get(name, version);
    return this.#contractView(contract, known?.id);
  }

  #contractView({ address, name, createdAt }: KnownContract, abi: string | undefined): Json {
    const path = `/contracts/${name ?? address}`;
    return {
      address: address.slice(2),
      path,
      openapi: `${this.parts.settings.base}${path}?openapi`,
      ...(createdAt && { created: createdAt.toISOString() }),
      ...(abi !== undefined && { abi }),
      ...(name !== undefined && { registeredAs: name }),
    };
  }

  #links(id: string): Json {
    const path = `/abis/${id}`;
    return { id, path, openapi: `${this.parts.settings.base}${path}?swagger` };
  }
}

/** Which view of it is asked for. @throws request.invalid */
export function viewFlag(query: Readonly<Record<string, unknown>>): 'openapi' | 'ui' | 'abi' | undefined {
  const names = Object.keys(query).map((name) => name.toLowerCase());
  if (names.includes('factory')) {
    throw new PatchbayError('request.invalid', {
      detail: 'There is no view called factory',
      fix: 'The description of an interface (swagger) has the routes for every address already.',
    });
  }
  if (names.includes('ui')) return 'ui';
  if (names.includes('swagger') || names.includes('openapi')) return 'openapi';
  return names.includes('abi') ? 'abi' : undefined;
}

function textIn(docs: Readonly<Record<string, unknown>> | undefined, name: string): string | undefined {
  const text = docs?.[name];
  return typeof text === 'string' ? text : undefined;
}
