using System.Text.Json.Nodes;
using Cairn.Frameworks.ChatTemplates;
using Cairn.Frameworks.Tests.Oracles;
using CsCheck;

namespace Cairn.Frameworks.Tests.ChatTemplates;

/// <summary>
/// What Cairn renders is what Jinja renders, set up as the transformers library sets it up; what Jinja refuses Cairn refuses.
/// </summary>
[Trait("speed", "slow")]
public sealed class Against_Jinja
{
    private static readonly DateTimeOffset Now = new(2026, 3, 7, 16, 5, 9, TimeSpan.Zero);

    public static TheoryData<string> Families => [.. Styles.All.Keys];

    [Theory, MemberData(nameof(Families))]
    public void Any_conversation_renders_alike(string family)
    {
        var (source, oracle) = (Styles.All[family], Oracle.Python);
        var template = ChatTemplate.Parse(source);
        var (rendered, refused) = (0, 0);
        Conversations.Any.Sample(variables =>
        {
            var (text, error) = Ask(oracle, source, variables);
            var ours = Ours(template, variables);
            if (error is null) rendered++;
            else refused++;
            Assert.True(error is null == (ours.Error is null),
                $"Jinja: {error ?? "renders"}; Cairn: {ours.Error ?? "renders"}\n{variables.ToJsonString()}");
            Assert.Equal(text, ours.Text);
        }, iter: 400, threads: 1);
        Assert.True(rendered > 20, $"{rendered} of {rendered + refused} conversations were rendered");
    }

    /// <summary>
    /// That package compares objects by identity, which the Mistral style asks for by value, and strips white space where Qwen's asks for
    /// newlines.
    /// </summary>
    public static TheoryData<string> OtherFamilies => [.. Styles.All.Keys.Except(["mistral", "qwen"])];

    [Theory, MemberData(nameof(OtherFamilies))]
    public void The_JavaScript_package_renders_alike(string family)
    {
        var (source, oracle) = (Styles.All[family], Oracle.JavaScript);
        if (source.Contains("strftime_now", StringComparison.Ordinal)) source = source.Replace("strftime_now is defined", "false",
            StringComparison.Ordinal);
        var template = ChatTemplate.Parse(source);
        Conversations.Any.Where(variables => IsPlain(variables.ToJsonString())).Sample(variables =>
        {
            var (text, error) = Ask(oracle, source, variables);
            var ours = Ours(template, variables);
            // It accepts what Jinja refuses, undefined values in sums say; the texts of what both accept are the point here.
            if (error is null && ours.Error is null) Assert.Equal(text, ours.Text);
        }, iter: 200, threads: 1);
    }

    [Theory, ClassData(typeof(Snippets))]
    public void A_snippet_renders_alike(string source)
    {
        var variables = (JsonObject)JsonNode.Parse("""
            {"n": 7, "neg": -7, "f": 2.5, "big": 123456789012345678901234567890, "t": true, "none": null, "s": "Hello, Wörld 👍!", "empty": "", "l": [3, 1, 2], "words": ["b", "A", "c", "a"],
             "d": {"b": 1, "a": [1, "x", null, true, 1.5], "C": {"k": "v"}}, "users": [{"n": "x", "a": 3, "o": {"p": 1}}, {"n": "Y", "a": 1}, {"n": "z", "a": 2, "o": {"p": 0}}], "html": "<a href=\"x\">'&'</a>",
             "lines": "one\n two\n\nthree", "tiny": 1e-7, "huge": 1e22, "items_key": {"items": 1, "get": 2}}
            """)!;
        var (text, error) = Ask(Oracle.Python, source, variables);
        var ours = (Text: (string?)null, Error: (string?)null);
        try
        {
            ours = Ours(ChatTemplate.Parse(source), variables);
        }
        catch (ChatTemplateException e)
        {
            ours.Error = e.Message;
        }
        Assert.True(error is null == (ours.Error is null), $"Jinja: {error ?? text}; Cairn: {ours.Error ?? ours.Text}");
        Assert.Equal(text, ours.Text);
    }

    /// <summary>JavaScript loses a real number's zeros and takes U+2028 for a line's end.</summary>
    private static bool IsPlain(string json) => !json.Contains('.', StringComparison.Ordinal)
        && !json.Contains("\\u2028", StringComparison.Ordinal);

    private static (string? Text, string? Error) Ask(Oracle oracle, string source, JsonObject variables)
    {
        var (value, error) = oracle.Ask(new JsonObject
        {
            ["op"] = "render", ["template"] = source, ["variables"] = variables.DeepClone(),
                ["now"] = Now.ToString("O", System.Globalization.CultureInfo.InvariantCulture),
        });
        return (value?.GetValue<string>(), error);
    }

    private static (string? Text, string? Error) Ours(ChatTemplate template, JsonObject variables)
    {
        try
        {
            return (template.Render(variables, Now), null);
        }
        catch (ChatTemplateException e)
        {
            return (null, e.Message);
        }
    }
}
