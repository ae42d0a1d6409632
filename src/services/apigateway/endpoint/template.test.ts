// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates are written so
import { describe, expect, it } from 'vitest';
import { newOverrides, overridden, renderTemplate, TemplateLimit, type TemplateScope, UnsupportedTemplate } from './template.ts';

function scopeOf(body: unknown, more: Partial<TemplateScope> = {}): TemplateScope {
  return {
    context: { requestId: 'r-1', identity: { sourceIp: '1.2.3.4', apiKey: null } },
    stageVariables: { table: 'orders' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    params: { path: { id: '7' }, querystring: { q: 'a b' }, header: { Accept: '*/*' } },
    param: (name) => ({ id: '7', q: 'a b' })[name],
    mapping: () => undefined,
    overrides: newOverrides(),
    ...more,
  };
}
const render = (template: string, body: unknown = {}) => renderTemplate(template, scopeOf(body));

describe('references', () => {
  it.each([
    ['$context.requestId ${stageVariables.table} $input.params("id").', 'r-1 orders 7.'],
    ['<$context.identity.apiKey><$nothing><$!nothing.at.all>', '<><><>'],
    ['costs $5, \\$context, 100% #1', 'costs $5, $context, 100% #1'],
    ['$input.body.x|$input.json("$.a")|$input.json("$.gone")', '|[1,{"b":2}]|""'],
    ['#set($m = $input.path("$"))$m.a[1].b $m.get("a").size() $m["a"][0] $m', '2 2 1 {a=[1,{"b":2}]}'],
    ['$util.escapeJavaScript("it\'s")|$util.urlEncode("a b&c")|$util.base64Decode($util.base64Encode("x"))', "it\\'s|a+b%26c|x"],
    ['$util.parseJson(\'{"k":[1]}\').k', '[1]'],
    ['#foreach($p in $input.params().keySet())$p=$input.params().get($p)#if($foreach.hasNext),#end#end', 'path={id=7},querystring={q=a b},header={Accept=*/*}'],
  ])('%s', (template, expected) => expect(render(template, { a: [1, { b: 2 }] })).toBe(expected));
});

describe('directives', () => {
  it.each([
    ['#set($x = 1 + 2 * 3)$x', '7'],
    ['#set($x = "a$stageVariables.table")\n$x', 'aorders'],
    ['#if(1 > 2)a#elseif("x" == \'x\')b#{else}c#end', 'b'],
    ['#if($gone == "" && $gone == $null && !$gone)nothing#end', 'nothing'],
    ['#foreach($i in [1..3])$foreach.count:$i#if($foreach.hasNext), #end#end', '1:1, 2:2, 3:3'],
    ['#foreach($i in [1, 2, 3])#if($i == 2)#break#end$i#end!', '1!'],
    ['a#stop b', 'a'],
    ['#set($l = [])#foreach($i in ["b", "a"])#set($ok = $l.add($i))#end$l', '[b, a]'],
    ['#set($m = {"a": 1})#set($m.b = "two")$m.entrySet().get(1).value$m.put("c", 3)', 'two'],
    ['## gone\nkept#* gone *##[[$kept]]#', 'kept$kept'],
    ['#set($s = "a,b;c")$s.replaceAll("[,;]", "-") $s.split(",").size() $s.toUpperCase().substring(0, 1)', 'a-b-c 2 A'],
  ])('%s', (template, expected) => expect(render(template)).toBe(expected));

  it('keeps overrides for what follows', () => {
    const scope = scopeOf({});
    renderTemplate('#set($context.requestOverride.header.X-Id = "1")#set($n = "q")#set($context.requestOverride.querystring[$n] = 2)', scope);
    expect(overridden(scope.overrides.request, 'header')).toEqual([['X-Id', '1']]);
    expect(renderTemplate('$context.requestOverride.querystring.q', scope)).toBe('2');
  });
});

describe('bounds', () => {
  const loop = (inner: string) => `#foreach($i in [1..1000])${inner}#end`;
  it.each([
    ['rounds', '#foreach($i in [1..1001])x#end'],
    ['steps', loop(loop(loop('x')))],
    ['a range', '#set($r = [1..1000000000])'],
    ['a text that doubles', `#set($a = "0123456789")${loop('#set($a = "$a$a")')}`],
    ['a list in itself', '#set($l = [])#set($ok = $l.add($l))$l'],
  ])('stops %s', (_name, template) => expect(() => render(template)).toThrow(TemplateLimit));

  it.each([
    ['no end', '#if(true)x'],
    ['a stray end', 'x#end'],
    ['a macro', '#macro(x)#end'],
    ['depth', `#set($x = ${'('.repeat(1000)}1${')'.repeat(1000)})`],
    ['a method it lacks', '$input.path("$").getClass()'],
  ])('refuses %s', (_name, template) => expect(() => render(template)).toThrow(UnsupportedTemplate));

  it('reaches nothing of the host', () => {
    expect(render('$input.constructor$util.constructor#set($m = {})$m.constructor$m.__proto__#set($m.__proto__ = "own")$m.__proto__ ${m.toString()}')).toBe(
      'own {__proto__=own}',
    );
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });

  it('survives a pattern that would never end', () => {
    expect(render(`#set($s = "${'a'.repeat(40)}!")$s.matches("(a+)+")`)).toBe('false');
  });
});
