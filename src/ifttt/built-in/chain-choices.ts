import { signatureOf, type Abi, type AbiFragment, type Contract, type Network } from '#evm';
import type { ContractsService } from '#gateway';
import type { NetworksService } from '#networks';
import { PatchbayError } from '#sdk';
import { textOf, type Choice, type FieldOffer, type FieldValues, type Option, type Validity } from '../offer.js';
import { fine, refused } from './built-in-trigger.js';

export interface ChainChoicesParts {
  readonly networks: NetworksService;
  readonly contracts: ContractsService;
}

interface NamedContract {
  readonly network: string;
  readonly name: string;
  readonly abi: Abi;
}

/** Networks, contracts and events of this hub, as fields of IFTTT choose and check them. */
export class ChainChoices {
  constructor(private readonly parts: ChainChoicesParts) {}

  networks(): readonly Choice[] {
    return this.parts.networks.list().map(({ name }) => ({ label: name, value: name }));
  }

  /** By network; only contracts that have a name, and of those the ones that `isWanted` lets through. */
  async contracts(isWanted: (abi: Abi) => boolean = () => true): Promise<readonly Option[]> {
    const known = await this.#named();
    return this.networks().map(({ value: network }) => ({
      label: network,
      values: known
        .filter((contract) => contract.network === network && isWanted(contract.abi))
        .map(({ name }) => ({ label: name, value: name })),
    }));
  }

  /** By contract. */
  async events(): Promise<readonly Option[]> {
    return (await this.#named()).map(({ network, name, abi }) => ({
      label: `${name} (${network})`,
      values: eventsOf(abi).map((event) => ({ label: event.name ?? '', value: signatureOf(event) })),
    }));
  }

  /** @throws connection.notFound */
  network(name: string): Promise<Network> {
    return this.parts.networks.get(name);
  }

  /** The first contract with such an event, to test with. */
  async firstWith(isWanted: (abi: Abi) => boolean): Promise<NamedContract | undefined> {
    return (await this.#named()).find(({ abi }) => isWanted(abi));
  }

  async #named(): Promise<readonly NamedContract[]> {
    const listed = await Promise.all(
      this.networks().map(async ({ value }) => {
        // A network whose node is down must not empty the lists of the others.
        const contracts = await this.parts.contracts.list(value).catch(() => []);
        const { addressBook } = await this.network(value);
        return Promise.all(
          contracts.map(async ({ name, address, network }): Promise<readonly NamedContract[]> => {
            const found = name === undefined ? undefined : await addressBook.get(address).catch(() => undefined);
            return name === undefined || found === undefined ? [] : [{ network, name, abi: found.abi }];
          }),
        );
      }),
    );
    return listed.flat(2);
  }
}

export function eventsOf(abi: Abi): readonly AbiFragment[] {
  return abi.filter((fragment) => fragment.type === 'event' && fragment.anonymous !== true);
}

/** Looks up what two fields name. */
export async function lookUp(
  choices: ChainChoices,
  values: FieldValues,
  contractField: string,
): Promise<{ network: Network; contract: Contract } | { faults: Record<string, Validity> }> {
  const faults: Record<string, Validity> = {};
  const network = await choices.network(textOf(values, 'network')).catch((error: unknown) => {
    faults['network'] = refusedBy(error);
    return undefined;
  });
  const contract = await network?.addressBook.get(textOf(values, contractField)).catch((error: unknown) => {
    faults[contractField] = refusedBy(error);
    return undefined;
  });
  return network && contract ? { network, contract } : { faults };
}

export function refusedBy(error: unknown): Validity {
  const { detail, fix } = PatchbayError.from(error);
  return refused(fix === undefined ? detail : `${detail}. ${fix}`);
}

export function faultsOf(values: Readonly<Record<string, Validity>>): readonly string[] {
  return Object.entries(values).flatMap(([field, { valid, message }]) =>
    valid ? [] : [`${field}: ${message ?? 'is not valid'}`],
  );
}

export function isAddressOrEmpty(text: string): Validity {
  return text === '' || /^0x[0-9a-fA-F]{40}$/.test(text)
    ? fine
    : refused('must be an address: 0x and 40 hexadecimal digits');
}

export const networkField: FieldOffer = {
  slug: 'network',
  title: 'Network',
  description: 'The chain to watch',
  type: 'drop-down',
  isRequired: true,
  isDynamic: true,
  isValidated: false,
  example: 'local',
};
