namespace Cairn.Frameworks.Tests.ChatTemplates;

/// <summary>One snippet for each rule of the language, its filters, tests and methods, and for the white space around tags.</summary>
public sealed class Snippets : TheoryData<string>
{
    public Snippets()
    {
        foreach (var snippet in Expressions.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)) Add("{{ " + snippet + " }}");
        foreach (var snippet in Blocks) Add(snippet);
    }

    private const string Expressions = """
        n + 1 * 2 - 3
        n / 2, n // 2, neg // 2, neg % 3, n % -3, 2 ** 10, 2 ** -1, -2 ** 2, f // 1, neg % 2.5
        1 / 0
        -n | abs, (-n) | abs, -f | round
        1 + 2 ~ 3 + 4
        'a' 'b' ~ 1 ~ none ~ true ~ 1.0
        'a' * 3, [1, 2] * 2, 3 * 'xy', 'a' + 'b', [1] + [2]
        'a' + 1
        '%s is %d, %05.1f, %-4s|, %x, %%' % ('x', 3, 2.345, 'l', 255)
        big, big + 1, 1e3, 1_000, 1e22, tiny, huge, 0.1 + 0.2, 100.0, 1.5e-10, 1e16, 123456789.123
        [1, 'a', "it's", 'say "x"', none, true, 1.0, {'k': (1,)}, (), []]
        "\n\t\\\x41\u00e9\q\'" ~ 'x\"y', ['\n\x00é\u2028👍\'"\\']
        n == 7.0, true == 1, 'a' == 'b', [1, 2] == [1, 2], (1, 2) == [1, 2], none == false, {'a': 1} == {'a': 1.0}
        1 < 2 < 3, 1 < 3 < 2, 'a' < 'b', 'Z' < 'a', [1, 2] < [1, 3]
        1 < 'a'
        2 in l, 5 not in l, 'll' in s, 'a' in d, 'zz' in d, 1 in none_there
        not t, not none and t, none or 'x', '' or [] or 0, t and 'y', not n == 7
        'yes' if t else 'no', 'yes' if none, ('a' if none else 'b') ~ 'c', 1 if 0 else 2 if 0 else 3
        s[0], s[-1], s[1:4], s[::-1], s[:-2], s[-3:], s[::2], s[10:2:-3], s[100:], s[7], s[13]
        l[0], l[-1], l[1:], l[::-1], l[:1], l[-1:0:-1], l[5], l[5] is defined, (1, 2, 3)[1:]
        d.b, d['b'], d.a[1], d.C.k, d['zz'], d.zz is defined, d.get('zz'), d.get('zz', 5), d.get('b')
        d.zz.y
        undefined_thing
        undefined_thing + 1
        undefined_thing.x
        undefined_thing == none, undefined_thing is undefined, undefined_thing | default('x'), undefined_thing | length, undefined_thing | list
        none | default('x'), none | default('x', true), '' | default('y', boolean=True), 0 | d(5, true)
        d.items() | list, d | items | list, d.keys() | list, d.values() | list, d | list, d | length
        items_key['items'], items_key['get']
        d | dictsort, d | dictsort(true), d | dictsort(reverse=true), {'x': 2, 'y': 1} | dictsort(by='value')
        d | tojson
        d | tojson(indent=2)
        d | tojson(sort_keys=true, separators=(',', ':'))
        s | tojson, html | tojson, "\u2028\x7f\x01/é" | tojson, [] | tojson(indent=2), {} | tojson(indent=2), none | tojson, f | tojson, 1e22 | tojson, {1: 2, none: 3, true: 4} | tojson
        undefined_thing | tojson
        '  x ' | trim ~ '|', '--x-' | trim('-'), 5 | trim
        s | length, l | length, s | count, 'é👍' | length
        5 | length
        s | upper, s | lower, 'straße ΑΣ İ' | upper, 'ΑΣ ΣΑ' | lower, s | title, 'heLLo wOrld-foo (bar)' | title, 'hELLO' | capitalize, 'éa' | capitalize
        l | join(', '), l | join, users | join('/', attribute='n'), 'abc' | join('.'), [1, none, true] | join(',')
        l | first, l | last, s | first, s | last, [] | first, [] | last, d | first
        l | string, 5 | string ~ 5, '5' | int + 1, 'x' | int, 'x' | int(3), '7.9' | int, f | int, '0x1f' | int(base=16), ' 12 ' | int, '1.5' | float, 'x' | float, 'x' | float(2.0), true | int
        s | replace('l', 'L'), s | replace('l', 'L', 1), 'aaa' | replace('a', 'b', 2)
        users | map(attribute='n') | list, words | map('upper') | list, users | map(attribute='o.p', default='-') | list, ['1', '2'] | map('int') | sum
        users | selectattr('a', 'equalto', 3) | list | length, users | rejectattr('o') | map(attribute='n') | list, users | selectattr('o', 'defined') | map(attribute='n') | join
        users | selectattr('a', '>', 1) | map(attribute='n') | list, users | selectattr('n', 'in', ['x', 'z']) | list | length
        l | select('odd') | list, l | reject('odd') | list, [0, 1, '', 'a'] | select | list, l | select('>', 1) | list, [1, 'a', none] | select('string') | list
        l | sort, l | sort(reverse=true), words | sort, words | sort(case_sensitive=true), users | sort(attribute='a') | map(attribute='n') | list, users | sort(attribute='n', reverse=true) | map(attribute='n') | list
        [1, 'a'] | sort
        words | unique | list, [1, 1.0, true, 2] | unique | list, users | unique(attribute='a') | list | length, words | unique(case_sensitive=true) | list
        l | reverse | list, 'abc' | reverse, l | sum, users | sum(attribute='a'), l | min, l | max, words | max, words | min
        f | round, 3.5 | round, 2.675 | round(2), 0.125 | round(2), -1.5 | round, 7 | round, 1234.5678 | round(-2), 2.1 | round(0, 'ceil'), 2.19 | round(1, 'floor'), 1e300 | round(2)
        f | abs, neg | abs, -2.5 | abs
        lines | indent, lines | indent(2, true), lines | indent(2, blank=true), lines | indent('> ', true), '' | indent, 'x\n' | indent(1)
        html | escape
        html | safe ~ '<'
        '%s-%s' | format('a', 1), '%(x)s' | format(x=2)
        'a b  c' | wordcount, 'abc' | center(9) ~ '|', [1, 2, 3] | batch(2, 0) | list
        5 is odd, 4 is even, 9 is divisibleby 3, 9 is divisibleby(2), 5 is number, f is float, n is integer, t is integer, t is boolean, true is true, 1 is true, false is false, none is none
        s is string, l is iterable, s is iterable, d is mapping, 5 is iterable, l is sequence, 'a' is lower, 'A' is upper, 'a1' is lower, range is callable, 5 is callable
        1 is eq 1, 1 is ne 2, 1 is lt 2, 2 is ge(2), 'a' is in ['a'], 1 is sameas true, none is sameas none, 5 is not odd, s is not none, 'upper' is filter, 'odd' is test
        5 is nonexistent
        5 | nonexistent
        ' a '.strip() ~ '|', 'xxaxx'.strip('x'), ' a '.lstrip() ~ '|', ' a '.rstrip() ~ '|', 'abcab'.rstrip('ab')
        'a,b,,c'.split(','), ' a  b '.split(), 'a,b,c'.split(',', 1), 'a b c'.split(None, 1), 'a,b,c'.rsplit(',', 1), ' a b c '.rsplit(maxsplit=1), ''.split(), ''.split(','), 'a\nb\r\nc\n'.splitlines()
        'abc'.startswith('ab'), 'abc'.endswith(('x', 'c')), 'abc'.startswith(('x', 'y')), 'abc'.startswith('')
        'abc'.upper(), 'ABC'.lower(), "they're bill's".title(), 'aBC dE'.capitalize(), 'abcabc'.replace('b', 'X'), 'abcabc'.replace('b', 'X', 1), 'abc'.replace('', '-'), 'a👍'.replace('', '.')
        'hello'.find('l'), '👍x'.find('x'), 'hello'.find('z'), 'hello'.rfind('l'), 'hello'.count('l'), 'aaa'.count('aa'), 'hello'.index('e')
        'hello'.index('z')
        '-'.join(['a', 'b'])
        '{} {}'.format('a', 1), '{1}{0}{x}'.format('a', 'b', x=3), '{{}}'.format(), '{:.2f}'.format(2.345)
        '-'.join([1])
        'ab'.isdigit(), '12'.isdigit(), 'ab1'.isalnum(), 'ab'.isalpha(), '  '.isspace(), 'AB'.isupper(), 'a'.islower(), '5'.zfill(3), '-5'.zfill(4), 'a'.ljust(3) ~ '|', 'a'.rjust(3, '.')
        'a-b-c'.partition('-'), 'a-b-c'.rpartition('-'), 'abc'.partition('-'), 'abc'.removeprefix('a'), 'abc'.removesuffix('c')
        l.index(2), l.count(1), l.append(4)
        d.update({'x': 1})
        d.pop('b')
        range(5) | list, range(1, 4) | list, range(5, 0, -2) | list, range(0) | list
        range(1000000)
        dict(a=1, b=2), dict([('x', 1)])
        raise_exception('no ' ~ n)
        strftime_now('%d %b %Y %H:%M:%S %A %B %j %p %I %y %m %% %a'), strftime_now('%Y-%m-%d')
        true, True, false, False, none, None
        (1), (1,), (1, 2), []
        n.foo, none.foo, 5.5.foo
        n()
        [1, 2, 3,], {'a': 1,}
        s.upper().lower().title() | length
        l | map('string') | join('-') | length > 2 and s | length == 14
        -5 | string, - 5, +5, not not true, 5 // 2 * 2
        1 in [1] == true, 2 > 1 == true
        '\u00e9' == 'é', 'a' ~ 'b' in 'xab'
        s
        """;

    private static readonly string[] Blocks =
    [
        "{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ x }},{% endfor %}",
        "{% for x in l %}{{ loop.previtem }}-{{ loop.nextitem }};{{ loop.cycle('a', 'b') }}{{ loop.changed(x > 1) }}{{ loop.depth }} {% endfor %}",
        "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for k in d %}{{ k }}{% endfor %}{% for c in 'aé👍' %}[{{ c }}]{% endfor %}",
        "{% for x in [] %}a{% else %}none{% endfor %}{% for x in l if x > 5 %}a{% else %}b{% endfor %}{% for x in l if x > 1 %}{{ x }}{{ loop.length }}{% endfor %}",
        "{% for x in undefined_thing %}a{% else %}b{% endfor %}",
        "{% for x in 5 %}a{% endfor %}",
        "{% for x in none %}a{% endfor %}",
        "{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% if x == 2 %}{% break %}{% endif %}{% endfor %}",
        "{% set x = 1 %}{% for y in l %}{% set x = x + 1 %}{{ x }}{% endfor %}{{ x }}",
        "{% set ns = namespace(x=1, y='a') %}{% for y in l %}{% set ns.x = ns.x + y %}{% endfor %}{{ ns.x }}{{ ns.y }}{{ ns.zz is defined }}",
        "{% if t %}{% set x = 5 %}{% endif %}{{ x }}",
        "{% set a, b = 1, 2 %}{{ a + b }}{% set a = 1, 2 %}{{ a }}",
        "{% set a, b = l %}{{ a }}",
        "{% set x %}a {{ n }} b{% endset %}{{ x | upper }}{% set y | upper | replace('A', 'z') %}abca{% endset %}{{ y }}",
        "{% macro m(a, b=2, c=none) %}{{ a }}-{{ b }}-{{ c }}{% endmacro %}{{ m(1) }}|{{ m(1, c=3) }}|{{ m(b=5, a=4) }}|{{ m() }}",
        "{% macro m(a) %}{{ a }}{{ n }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, x=4) }}",
        "{% macro f(x) %}{% if x > 0 %}{{ x }}{{ f(x - 1) }}{% endif %}{% endmacro %}{{ f(5) }}{{ f(2) | length }}",
        "{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}in {{ n }}{% endcall %}",
        "{% macro m() %}{{ caller('x') }}{% endmacro %}{% call(a) m() %}got {{ a }}{% endcall %}",
        "{% set x = 1 %}{% macro m() %}{{ x }}{% endmacro %}{% set x = 2 %}{{ m() }}",
        "{% for i in l %}{% macro m() %}{{ i }}{% endmacro %}{{ m() }}{% endfor %}",
        "{% filter upper %}abc {{ n }}{% endfilter %}{% with x = 5, y = 6 %}{{ x + y }}{% endwith %}{{ x }}",
        "{% raw %}{{ not }} {% this %}{% endraw %}{{ n }}",
        "a{%- raw -%} x {{ y }} {%- endraw -%} b",
        "{# comment #}a{#- x -#} b {# {{ n }} #}c",
        "{% generation %}x{{ n }}{% endgeneration %}",
        "a\n  {% if t %}\n  b\n  {% endif %}\nc\n",
        "a\n  {%- if t %}\n  b\n  {%- endif %}\nc\n\n",
        "a \n {%- if t -%} \n b \n {%- endif -%} \n c",
        "a\n\t {%+ if t +%}\n b\n {%+ endif %}\n",
        "  {{ n }}  \n  {{- n -}}  \n x",
        "  {# c #}\n  x {# d #}\n  {#- e -#}\n y",
        "x {% if t %}\n\ny{% endif %} z {% if t %} {% endif %}\n {% set q = 1 %}\n\n{{ q }}",
        "{% if none %}a{% elif n == 7 %}b{% else %}c{% endif %}{% if undefined_thing %}a{% else %}d{% endif %}",
        "line1\r\nline2\rline3\n",
        "{% for u in users recursive %}{{ u.n }}{% if u.kids %}{{ loop(u.kids) }}{% endif %}{% endfor %}",
        "{% set j = joiner(', ') %}{% for x in l %}{{ j() }}{{ x }}{% endfor %}{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}",
        "{% for (a, b) in [(1, 2), (3, 4)] %}{{ a }}{{ b }}{% endfor %}{% for a, (b, c) in [(1, (2, 3))] %}{{ a ~ b ~ c }}{% endfor %}",
        "{% for a, b in l %}{% endfor %}",
        "{% set ns = 5 %}{% set ns.x = 1 %}",
        "{{ {'a': {'b': [1, {'c': 2}]}}.a.b[1].c }}{{ [[1, 2], [3]][0][1] }}{{ 'x'.upper().lower() }}",
        "{{ messages }}{{ none }}{{ 1.0 }}{{ 'a\\'b' }}{{ \"tab\\there\" }}",
        "{{ '}}' }}{{ '{%' }}{{ {'a': {'b': 1}} }}{{ '%}' }}{% set a = {'x': {}} %}{{ a }}",
        "{% for x in range(3) %}\n{{ x }}\n{% endfor %}\nend",
        "{%- for x in range(2) -%}\n  {{- x }}\n{%- endfor %}\n\n",
        "{% for x in l | sort %}{% for y in l %}{{ loop.index }}{{ x * y }} {% endfor %}{{ loop.index }};{% endfor %}",
        "{% unknown %}", "{{ n", "{% if t %}", "{% endif %}", "{{ }}", "{{ 'abc }}", "{{ n n }}", "{% for x l %}{% endfor %}", "{{ (1 }}", "{# open", "{% set %}", "{{ 1 + }}", "{{ n | }}", "{% raw %}x",
        "{{ 5 is divisibleby 0 }}", "{{ [1, 2, 3][1:][0] }}{{ 'abc'[1] }}", "{{ users[0]['o']['p'] }}{{ users.0.n }}",
    ];
}
