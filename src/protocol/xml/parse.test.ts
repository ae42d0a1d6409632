import { describe, expect, test } from 'vitest';
import { parseXml, type XmlElement, XmlSyntaxError } from './parse.ts';

function plain({ name, attributes, children, text }: XmlElement): unknown {
  return [name, Object.fromEntries(attributes), children.length > 0 ? children.map(plain) : text];
}

describe('parseXml', () => {
  test.each<[string, unknown]>([
    ['<a/>', ['a', {}, '']],
    ['<a></a>', ['a', {}, '']],
    ['\ufeff<?xml version="1.0"?>\n<!-- c --><a>t</a>\n<!-- d -->', ['a', {}, 't']],
    [
      '<a x="1" y=\'&lt;2&gt;\'><b>1</b><b>2</b></a>',
      [
        'a',
        { x: '1', y: '<2>' },
        [
          ['b', {}, '1'],
          ['b', {}, '2'],
        ],
      ],
    ],
    ['<n:a xmlns:n="u"><n:b>x</n:b></n:a>', ['a', { 'xmlns:n': 'u' }, [['b', {}, 'x']]]],
    ['<a>&amp;&#65;&#x1F600;<![CDATA[<b>&amp;]]></a>', ['a', {}, '&A😀<b>&amp;']],
    ['<a>\r\nx\r</a >', ['a', {}, '\nx\n']],
    ['<a>__proto__<__proto__>1</__proto__></a>', ['a', {}, [['__proto__', {}, '1']]]],
  ])('%s', (text, expected) => {
    expect(plain(parseXml(text))).toEqual(expected);
  });

  test.each([
    '',
    'x',
    '<a>',
    '<a></b>',
    '<a></ab>',
    '<ab></a>',
    '</a>',
    '<a/><b/>',
    '<a>&unknown;</a>',
    '<a>&</a>',
    '<a>&#0;</a>',
    '<a>&#xD800;</a>',
    '<a x=1/>',
    '<a x="1" x="2"/>',
    '<a x="<"/>',
    '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    '<a><!DOCTYPE b></a>',
    '<a><![CDATA[x</a>',
    '<a><!-- </a>',
    '<1/>',
  ])('refuses %s', (text) => {
    expect(() => parseXml(text)).toThrow(XmlSyntaxError);
  });

  test.each([
    ['a thousand levels', `${'<a>'.repeat(1000)}${'</a>'.repeat(1000)}`],
    ['a thousand attributes', `<a ${Array.from({ length: 1000 }, (_, i) => `x${i}="1"`).join(' ')}/>`],
  ])('refuses %s', (_what, text) => {
    expect(() => parseXml(text)).toThrow(XmlSyntaxError);
  });
});
