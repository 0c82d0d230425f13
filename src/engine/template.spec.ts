import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { PatchbayError } from '#sdk';
import { compileTemplate, compileValue, type Scope } from './template.js';

function render(template: string, scope: Scope = {}): unknown {
  return compileTemplate(template)(scope);
}

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return error instanceof PatchbayError ? error.code : String(error);
  }
}

describe('a template', () => {
  const event = {
    to: '0x00b2',
    value: '25000000000',
    list: [{ id: 1 }, { id: 2 }],
    flag: true,
    none: null,
    'odd name': 'x',
    big: 2n ** 70n,
  };

  it.each([
    ['{{event.list}}', event.list],
    ['{{event.flag}}', true],
    ['{{event.none}}', null],
    ['{{event.big}}', 2n ** 70n],
    ['{{event.list.1.id}}', 2],
    ['{{event.list.length}}', 2],
    ['{{event.[odd name]}}', 'x'],
    ['{{{event.to}}}', '0x00b2'],
    ["{{'text'}}", 'text'],
    ['{{25000000000000000000000}}', '25000000000000000000000'],
  ])('given the lone expression %s, when it is rendered, then the value keeps its type', (template, value) => {
    expect(render(template, { event })).toEqual(value);
  });

  it.each([
    ['to {{event.to}}!', 'to 0x00b2!'],
    ['{{event.value}} wei', '25000000000 wei'],
    ['{{event.big}}{{event.flag}}', '1180591620717411303424true'],
    ['[{{event.none}}]', '[]'],
    ['{{event.list}} ', '[{"id":1},{"id":2}] '],
    ['a{{! a remark }}b', 'ab'],
    ['\\{{event.to}}', '{{event.to}}'],
    ["{{upper (concat 'a' event.to)}}-{{lower 'B'}}", 'A0X00B2-b'],
    ["{{date 0 format='date'}} ", '1970-01-01 '],
  ])('given %s among text, when it is rendered, then it becomes text', (template, text) => {
    expect(render(template, { event })).toBe(text);
  });

  it('given a value that holds a template, when it is rendered, then it is not a template again', () => {
    expect(render('{{event.x}}', { event: { x: '{{event.secret}}', secret: 's' } })).toBe('{{event.secret}}');
  });

  it('given a path that leads nowhere, when it is rendered, then the error names the path and the template', () => {
    const attempt = () => render('to {{event.args.too}}', { event: { args: {} } });
    expect(attempt).toThrow('There is no value at event.args.too. Template: to {{event.args.too}}');
    expect(codeOf(attempt)).toBe('template.missingValue');
  });

  it('given a missing value, when default is there, then its second argument takes the place', () => {
    expect(render("{{default event.note 'none'}}", { event: {} })).toBe('none');
    expect(render("{{default (lower event.note) 'none'}}", { event: {} })).toBe('none');
    expect(render("{{default event.note 'none'}}", { event: { note: null } })).toBe('none');
    expect(codeOf(() => render('{{default event.a event.b}}', { event: {} }))).toBe('template.missingValue');
  });

  it('given properties of the prototype, when they are referred to, then they are missing', () => {
    for (const path of ['event.toString', 'event.hasOwnProperty', 'event.list.map', 'event.text.length']) {
      expect(codeOf(() => render(`{{${path}}}`, { event: { list: [], text: 'x' } }))).toBe('template.missingValue');
    }
  });

  it.each([
    '{{#if event}}x{{/if}}',
    '{{#each event.list}}x{{/each}}',
    '{{> partial}}',
    '{{* decorator}}',
    '{{{{raw}}}} x {{{{/raw}}}}',
    '{{@root.event}}',
    '{{../event}}',
    '{{this}}',
    '{{this.event}}',
    '{{.}}',
    '{{event.constructor}}',
    '{{event.__proto__.x}}',
    '{{event.[prototype]}}',
    '{{lookup event "x"}}',
    '{{log event}}',
    '{{helperMissing}}',
    '{{event.to',
    '{{lower}}',
    '{{lower event.a event.b}}',
    '{{lower event.a text=event.b}}',
    '{{lower nothing=event.b}}',
    '{{nothing.at.all}}',
    `{{lower ${'(lower '.repeat(40)}event.a${')'.repeat(40)}}}`,
    `{{lower ${'(lower '.repeat(9000)}`,
  ])('given the forbidden %s, when it is compiled, then it is refused', (template) => {
    expect(codeOf(() => compileTemplate(template))).toBe('template.invalid');
  });

  it('given too much text, when it is compiled or rendered, then it is refused', () => {
    expect(codeOf(() => compileTemplate(`{{event}}${'x'.repeat(70_000)}`))).toBe('template.tooLarge');
    const event = { text: 'x'.repeat(200_000) };
    expect(codeOf(() => render('{{event.text}}{{event.text}}', { event }))).toBe('template.tooLarge');
    expect(codeOf(() => render('{{concat event.text event.text}}', { event }))).toBe('template.tooLarge');
    expect(codeOf(() => render("{{replace event.text 'x' event.text}}", { event }))).toBe('template.tooLarge');
    const many = compileValue(Array.from({ length: 1_000 }, () => 'x{{event.text}}'));
    expect(codeOf(() => many.render({ event }))).toBe('template.tooLarge');
  });

  it('given text without templates, when it is rendered, then it is that text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!text.includes('{{'));
        expect(render(text)).toBe(text);
      }),
    );
  });

  it('given any data, when it is put in and referred to, then it comes out unchanged', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => expect(render('{{event.x}}', { event: { x: value } })).toEqual(value)),
    );
  });
});

describe('hostile templates', () => {
  it.each([
    ['nesting', `{{a ${'(b '.repeat(9_000)}`],
    ['expressions', '{{a}}'.repeat(12_000)],
    ['escapes', '\\{{'.repeat(16_000)],
    ['path segments', `{{event.${'a.'.repeat(30_000)}b}}`],
    ['arguments', `{{concat ${'1 '.repeat(30_000)}}}`],
  ])('given a template that is nothing but %s, when it is compiled, then it is refused at once', (_, template) => {
    const startedAt = performance.now();
    expect(codeOf(() => compileTemplate(template))).toBe('template.invalid');
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});

describe('nested data', () => {
  it('given templates somewhere in it, when it is rendered, then only they are replaced', () => {
    const compiled = compileValue({ a: 1, b: ['{{event.x}}', { c: 'n{{event.x}}' }], d: null });
    expect(compiled.isConstant).toBe(false);
    expect(compiled.render({ event: { x: 5 } })).toEqual({ a: 1, b: [5, { c: 'n5' }], d: null });
  });

  it('given none, when it is rendered, then the data is handed on as it is', () => {
    const data = { a: [1, { b: 'text' }] };
    const compiled = compileValue(data);
    expect(compiled.isConstant).toBe(true);
    expect(compiled.render({})).toBe(data);
  });

  it('given a missing value, when it is rendered, then the error names the field', () => {
    const { render: run } = compileValue({ fields: { Wallet__c: '{{event.x}}' } }, 'step contact of transfers');
    expect(() => run({ event: {} })).toThrow('(field fields.Wallet__c of step contact of transfers)');
  });
});
