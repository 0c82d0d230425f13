/** A job that answers the customary keys of a request: `get`, `path` and `times`. */
export function jobFlowText({
  name,
  jobId,
  connection,
}: {
  readonly name: string;
  readonly jobId: string;
  readonly connection: string;
}): string {
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
