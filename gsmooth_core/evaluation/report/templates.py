"""The templates of a report's page: Jinja macros, one for each kind of element."""

TEMPLATES = """
{%- macro page(title, parts) -%}
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>
:root { color-scheme: light dark;
  --paper: #fbfaf8; --card: #ffffff; --ink: #1d1d1f; --soft: #6b6a70; --line: #e4e1db;
  --good: #1f7a4d; --fair: #9a6700; --poor: #b3261e; --mark: #f3efe6;
  --c0: #3b3b40; --c1: #0b6bcb; --c2: #c2410c; --c3: #15803d; --c4: #7e3ff2; --c5: #b0158a; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #151517; --card: #1e1e21; --ink: #ececee; --soft: #9d9ca3; --line: #34343a;
  --good: #5fd39a; --fair: #e0b252; --poor: #ff8a80; --mark: #2a2824;
  --c0: #d6d6da; --c1: #6cb2ff; --c2: #ff9d66; --c3: #6ddb97; --c4: #b99bff; --c5: #ff8fd6; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 48px 24px 96px; }
h1 { font-size: 34px; line-height: 1.15; letter-spacing: -.02em; margin: 0 0 8px; }
h2 { font-size: 22px; letter-spacing: -.01em; margin: 56px 0 8px; }
h3 { font-size: 16px; margin: 28px 0 6px; }
p { margin: 8px 0; max-width: 74ch; }
.lead { font-size: 18px; color: var(--soft); }
.soft, figcaption, small { color: var(--soft); font-size: 14px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: 12px;
  margin: 24px 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 14px 16px; }
.tile b { display: block; font-size: 28px; line-height: 1.2; letter-spacing: -.02em;
  font-variant-numeric: tabular-nums; }
.tile span { font-size: 13px; font-weight: 600; }
.tile small { display: block; font-size: 13px; line-height: 1.4; margin-top: 4px; }
.good { color: var(--good); } .fair { color: var(--fair); } .poor { color: var(--poor); }
.scroll { overflow-x: auto; margin: 16px 0; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums;
  min-width: 100%; }
th, td { padding: 7px 9px; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th { font-weight: 600; vertical-align: bottom; color: var(--soft); font-size: 13px;
  white-space: normal; line-height: 1.3; }
th:first-child, td:first-child { text-align: left; }
td small { display: block; white-space: normal; min-width: 15em; }
tr.main td { background: var(--mark); font-weight: 600; }
tr.main td small { font-weight: 400; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 6px 18px; font-size: 14px; }
dt { font-weight: 600; } dd { margin: 0; color: var(--soft); max-width: 80ch; }
figure { margin: 16px 0; } figure img { max-width: 100%; border-radius: 8px; display: block; }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--soft); font-size: 12px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: 13px; color: var(--soft); }
.legend i { display: inline-block; width: 14px; height: 3px; border-radius: 2px;
  vertical-align: middle; margin-right: 6px; }
.faces { display: flex; flex-wrap: wrap; gap: 12px; } .faces figure { margin: 4px 0; width: 248px; }
details { border-top: 1px solid var(--line); padding: 14px 0; }
summary { cursor: pointer; font-weight: 600; font-size: 17px; }
summary small { font-weight: 400; margin-left: 10px; }
</style>
</head>
<body>
<main>
{% for part in parts if part %}
{{ part }}
{% endfor %}
</main>
</body>
</html>
{% endmacro %}

{%- macro text(tag, words, kind) -%}
<{{ tag }}{% if kind %} class="{{ kind }}"{% endif %}>{{ words }}</{{ tag }}>
{%- endmacro %}

{%- macro tiles(items) -%}
<div class="tiles">
{% for value, label, sentence, kind in items %}
<div class="tile"><span>{{ label }}</span><b class="{{ kind }}">{{ value }}</b>
<small>{{ sentence }}</small></div>
{% endfor %}
</div>
{%- endmacro %}

{%- macro table(head, rows, notes, marked) -%}
<div class="scroll"><table>
<thead><tr>{% for name in head %}<th>{{ name }}</th>{% endfor %}</tr></thead>
<tbody>
{% for row in rows %}
<tr{% if loop.index0 in marked %} class="main"{% endif %}>
<td>{{ row[0] }}{% if notes[loop.index0] %}<small>{{ notes[loop.index0] }}</small>{% endif %}</td>
{% for cell in row[1:] %}
<td>{{ cell }}</td>
{% endfor %}
</tr>
{% endfor %}
</tbody>
</table></div>
{%- endmacro %}

{%- macro picture(data, caption, alternative) -%}
<figure><img alt="{{ alternative }}" src="data:image/jpeg;base64,{{ data }}">
<figcaption>{{ caption }}</figcaption></figure>
{%- endmacro %}

{%- macro drawing(svg, caption) -%}
<figure>{{ svg }}<figcaption>{{ caption }}</figcaption></figure>
{%- endmacro %}

{%- macro side_by_side(parts) -%}
<div class="faces">{% for part in parts %}{{ part }}{% endfor %}</div>
{%- endmacro %}

{%- macro folded(title, note, parts, opened) -%}
<details{% if opened %} open{% endif %}>
<summary>{{ title }}<small>{{ note }}</small></summary>
{% for part in parts if part %}
{{ part }}
{% endfor %}
</details>
{%- endmacro %}

{%- macro glossary(items) -%}
<dl>{% for word, meaning in items %}<dt>{{ word }}</dt><dd>{{ meaning }}</dd>{% endfor %}</dl>
{%- endmacro %}

{%- macro legend(items) -%}
<div class="legend">
{% for name, colour in items %}
<span><i style="background:var(--c{{ colour }})"></i>{{ name }}</span>
{% endfor %}
</div>
{%- endmacro %}
"""
