/** An Applet gives somebody points: a field of each kind. */
export const givingPoints = `
name: acting
trigger:
  uses: ifttt.action
  with:
    action: give_points
    fields:
      wallet: { type: address }
      points: { type: integer, pattern: '[1-9]\\d*', example: '10' }
      colour: { type: choice, required: false, options: { red: Red, blue: Blue } }
steps:
  - uses: http.request
    with: { method: GET, url: "https://127.0.0.1:1/" }
    onError: continue
`;
