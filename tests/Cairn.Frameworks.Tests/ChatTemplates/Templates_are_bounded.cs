using System.Text.Json.Nodes;
using Cairn.Frameworks.ChatTemplates;

namespace Cairn.Frameworks.Tests.ChatTemplates;

public sealed class Templates_are_bounded
{
    [Theory]
    [InlineData("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "steps")]
    [InlineData("{% for a in range(99999) %}{% for b in range(99999) if false %}{% endfor %}{% endfor %}", "steps")]
    [InlineData("{% set ns = namespace(x='ab') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}", "characters")]
    [InlineData("{% set ns = namespace(x=[1, 2]) %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}", "items")]
    [InlineData("{% set ns = namespace(x=3) %}{% for i in range(99) %}{% set ns.x = ns.x * ns.x %}{% endfor %}", "bits")]
    [InlineData("{% set ns = namespace(x=[]) %}{% for i in range(99999) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}", "too deep")]
    [InlineData("{% set ns = namespace(x=[]) %}{% for i in range(99999) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x | tojson }}",
        "too deep")]
    [InlineData("{% set ns = namespace(x=[], y=[]) %}{% for i in range(99999) %}{% set ns.x = [ns.x] %}{% set ns.y = [ns.y] %}{% endfor %}{{ ns.x == ns.y }}", "too deep")]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "macros")]
    [InlineData("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", "macros")]
    [InlineData("{{ 'a' * 99999999999 }}", "characters")]
    [InlineData("{{ 'a'.ljust(999999999) }}", "characters")]
    [InlineData("{{ '%999999999d' % 1 }}", "width")]
    [InlineData("{{ 9 ** (9 ** 9) }}", "bits")]
    [InlineData("{{ range(999999999) }}", "range")]
    [InlineData("{% set a = 'x' * 9999999 %}{% for i in range(9) %}{{ a }}{% endfor %}", "characters")]
    [InlineData("{% set a = 'x' * 99999 %}{{ a.replace('', a) }}", "characters")]
    [InlineData("{% set a = 'x' * 99999 %}{% set l = [a] * 99999 %}{{ l | join }}", "characters")]
    [InlineData("{% set a = 'x' * 99999 %}{% set l = [a] * 99999 %}{{ l }}", "characters")]
    [InlineData("{% set a = 'x' * 99999 %}{% set l = [a] * 99999 %}{{ a.join(l) }}", "characters")]
    public void What_loops_or_grows_without_end_is_refused(string source, string because)
    {
        var refused = Assert.Throws<ChatTemplateException>(() => ChatTemplate.Parse(source).Render([], DateTimeOffset.UnixEpoch));
        Assert.Contains(because, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Expressions_that_nest_without_end_are_refused()
    {
        string[] sources = [Around("(", ")"), Around("[", "]"), Around("-", ""), Around("not ", ""), Around("x(", ")"),
            Around("{1: ", "}")];
        foreach (var source in sources)
            Assert.Contains("nests deeper", Assert.Throws<ChatTemplateException>(() => ChatTemplate.Parse(source)).Message,
                StringComparison.Ordinal);
        var ifs = string.Concat(Enumerable.Repeat("{% if x %}", 9999));
        Assert.Contains("nests deeper", Assert.Throws<ChatTemplateException>(() => ChatTemplate.Parse(ifs)).Message,
            StringComparison.Ordinal);

        static string Around(string open, string close) =>
            "{{ " + string.Concat(Enumerable.Repeat(open, 9999)) + "1" + string.Concat(Enumerable.Repeat(close, 9999)) + " }}";
    }

    [Fact]
    public void A_long_chain_of_operators_is_an_error_or_a_value_and_never_a_crash()
    {
        var source = "{{ 0" + string.Concat(Enumerable.Repeat(" + 1", 50_000)) + " }}";
        try
        {
            Assert.Equal("50000", ChatTemplate.Parse(source).Render([], DateTimeOffset.UnixEpoch));
        }
        catch (ChatTemplateException e)
        {
            Assert.Contains("too deep", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_cancelled_rendering_ends()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        var template = ChatTemplate.Parse("{% for a in range(99999) %}{{ a }}{% endfor %}");
        Assert.Throws<OperationCanceledException>(() => template.Render([], DateTimeOffset.UnixEpoch, cancelled.Token));
    }

    [Fact]
    public void The_templates_own_refusal_is_the_message_with_its_line()
    {
        var template = ChatTemplate.Parse("a\n{% if messages | length > 1 %}\n{{ raise_exception('one message only') }}{% endif %}");
        var refused = Assert.Throws<ChatTemplateException>(() =>
            template.Render((JsonObject)JsonNode.Parse("""{"messages": [1, 2]}""")!, DateTimeOffset.UnixEpoch));
        Assert.Equal("Chat template, line 3: the template refuses: one message only.", refused.Message);
    }

    [Theory]
    [InlineData("a\n  {{ b c }}", "line 2, column 8")]
    [InlineData("{% if x %}\n\n{% endfor %}", "line 3, column 4")]
    [InlineData("{{ 'abc }}", "no closing '")]
    [InlineData("{% include 'x' %}", "'include' is no statement")]
    public void A_template_that_does_not_parse_says_where(string source, string place) =>
        Assert.Contains(place, Assert.Throws<ChatTemplateException>(() => ChatTemplate.Parse(source)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_template_comes_from_its_own_file_or_from_the_tokenizers_config()
    {
        var folder = Directory.CreateTempSubdirectory("cairn-template-").FullName;
        try
        {
            Assert.Null(ChatTemplate.Load(folder));
            Write("tokenizer_config.json", """{"bos_token": "<s>"}""");
            Assert.Null(ChatTemplate.Load(folder));
            Write("tokenizer_config.json", """{"chat_template": "one {{ 1 }}"}""");
            Assert.Equal("one 1", Rendered());
            Write("tokenizer_config.json",
                """{"chat_template": [{"name": "tool_use", "template": "tools"}, {"name": "default", "template": "plain"}]}""");
            Assert.Equal("plain", Rendered());
            Write("chat_template.jinja", "own");
            Assert.Equal("own", Rendered());
            File.Delete(Path.Combine(folder, "chat_template.jinja"));
            Write("tokenizer_config.json", "{");
            Assert.Throws<ChatTemplateException>(() => ChatTemplate.Load(folder));
            Write("tokenizer_config.json", """{"chat_template": 5}""");
            Assert.Contains("$.chat_template", Assert.Throws<ChatTemplateException>(() => ChatTemplate.Load(folder)).Message,
                StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        void Write(string name, string text) => File.WriteAllText(Path.Combine(folder, name), text);
        string Rendered() => ChatTemplate.Load(folder)!.Render([], DateTimeOffset.UnixEpoch);
    }
}
