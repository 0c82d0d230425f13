export interface JobFlow {
  readonly name: string;
  readonly jobId: string;
  readonly connection: string;
  /** Whether requests may only name public addresses. */
  readonly onlyPublic: boolean;
}

/** A job that answers the customary keys of a request: `get`, `path` and `times`. */
export function jobFlowText({ name, jobId, connection, onlyPublic }: JobFlow): string {
  return `# yaml-language-server: $schema=../docs/flow.schema.json
name: ${name}
description: Reads a number where a request says, and answers it on chain.

trigger:
  uses: oracle.request
  connection: ${connection}
  with:
    job: ${jobId}

steps:
  # Anybody may write a request. Name the sources here instead of taking their address from it, where you can.
  - id: source
    uses: oracle.collect
    with:
      sources:
        - name: asked
          url: "{{event.params.get}}"
          path: "{{event.params.path}}"
${onlyPublic ? guarded : open}

  - id: answer
    uses: oracle.fulfill
    connection: ${connection}
    with:
      request: "{{event.request}}"
      type: uint256
      value: "{{steps.source.value}}"
      times: "{{default event.params.times '1'}}"
`;
}

const guarded = `          # Whoever asks must not look into your network.
          onlyPublic: true`;

const open = `          # On a development chain the source may be this machine. Wherever others can ask, this must be true:
          # else they look into your network.
          onlyPublic: false`;
