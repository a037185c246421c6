using System.Text;
using System.Text.Json;
using Cairn.Frameworks.Constraining;
using Cairn.Frameworks.Tests.Constraining;
using Cairn.Frameworks.ToolCalls;
using CsCheck;

namespace Cairn.Frameworks.Tests.ToolCalls;

public sealed class Tool_calls
{
    private const string Weather = """
        {"type":"function","function":{"name":"get_weather","description":"Now","strict":true,"parameters":{"type":"object",
        "properties":{"city":{"$ref":"#/$defs/city"},"days":{"type":"integer","minimum":1,"maximum":7}},"required":["city"],"$defs":{"city":{"type":"string"}}}}}
        """;

    private const string Ping = """{"type":"function","function":{"name":"ping"}}""";

    private static ToolSet Tools(string choice = "\"auto\"", bool isParallel = true) =>
        ToolSet.Parse(JsonElement.Parse($"[{Weather},{Ping}]"), JsonElement.Parse(choice), isParallel, new List<string>())!;

    /// <summary>Deltas in a form where only what they add up to counts.</summary>
    private static string Parsed(ToolCallFormat format, IEnumerable<string> pieces)
    {
        var ids = 0;
        var parser = new ToolCallParser(Tools(), format, () => $"call_{ids++}");
        var result = new StringBuilder();
        var last = "";
        foreach (var delta in pieces.SelectMany(parser.Append).ToList().Concat(parser.Finish()))
        {
            var (kind, text) = delta switch
            {
                ToolCallDelta.Content content => ("text", content.Text),
                ToolCallDelta.Call call => ($"{call.Index} {call.Id} {call.Name}", ""),
                ToolCallDelta.Arguments arguments => ($"{arguments.Index} arguments", arguments.Fragment),
                _ => throw new InvalidOperationException(),
            };
            if (kind != last) result.Append(last == "" ? "" : "|").Append(kind).Append(':');
            result.Append(text);
            last = kind;
        }
        return result.ToString();
    }

    public static TheoryData<ToolCallFormat, string, string> Answers => new()
    {
        { ToolCallFormat.Hermes, "Hello <b> there ", "text:Hello <b> there " },
        { ToolCallFormat.Hermes, "Let me see.\n<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Z}\\\"ü\"}}\n</tool_call>",
            "text:Let me see.|0 call_0 get_weather:|0 arguments:{\"city\": \"Z}\\\"ü\"}" },
        { ToolCallFormat.Hermes, "<tool_call>{\"name\":\"ping\",\"arguments\":{}}</tool_call>\n<tool_call>{\"arguments\":{\"a\":[{}]},\"name\":\"ping\"}</tool_call>\nDone.",
            "0 call_0 ping:|0 arguments:{}|1 call_1 ping:|1 arguments:{\"a\":[{}]}|text:Done." },
        { ToolCallFormat.Hermes, "a <tool_call", "text:a <tool_call" },
        { ToolCallFormat.Hermes, "<tool_call>\n{\"name\": \"unknown\", \"arguments\": {}}\n</tool_call>",
            "text:<tool_call>\n{\"name\": \"unknown\", \"arguments\": {}}\n</tool_call>" },
        { ToolCallFormat.Hermes, "<tool_call>{broken}</tool_call> <tool_call>{\"name\":\"ping\"}</tool_call>",
            "text:<tool_call>{broken}</tool_call>|0 call_0 ping:|0 arguments:{}" },
        { ToolCallFormat.Hermes, "<tool_call>{\"name\":\"ping\",\"arguments\":{\"a\":", "0 call_0 ping:|0 arguments:{\"a\":" },
        { ToolCallFormat.Hermes, "<tool_call>{\"name\":\"pi", "text:<tool_call>{\"name\":\"pi" },
        { ToolCallFormat.Hermes, "<tool_call>{\"name\":\"ping\",\"arguments\":\"none\"}</tool_call>",
            "text:<tool_call>{\"name\":\"ping\",\"arguments\":\"none\"}</tool_call>" },
        { ToolCallFormat.Llama, "{\"name\": \"get_weather\", \"parameters\": {\"city\": \"X\"}}",
            "0 call_0 get_weather:|0 arguments:{\"city\": \"X\"}" },
        { ToolCallFormat.Llama, "<|python_tag|>{\"type\": \"function\", \"name\": \"ping\", \"parameters\": {}}; {\"name\": \"ping\", \"parameters\": {}};",
            "0 call_0 ping:|0 arguments:{}|1 call_1 ping:|1 arguments:{}" },
        { ToolCallFormat.Llama, "Use <|python_tag|>{\"name\": \"ping\", \"parameters\": {}}",
            "text:Use <|python_tag|>{\"name\": \"ping\", \"parameters\": {}}" },
        { ToolCallFormat.Llama, "{\"answer\": 42}", "text:{\"answer\": 42}" },
        { ToolCallFormat.Llama, "[1, 2]", "text:[1, 2]" },
        { ToolCallFormat.Mistral, "[TOOL_CALLS] [{\"name\": \"ping\", \"arguments\": {}, \"id\": \"a}1\"}, {\"name\": \"ping\", \"arguments\": {\"x\": 1}}]",
            "0 call_0 ping:|0 arguments:{}|1 call_1 ping:|1 arguments:{\"x\": 1}" },
        { ToolCallFormat.Mistral, " [{\"name\": \"ping\", \"arguments\": {}}]", "0 call_0 ping:|0 arguments:{}" },
        { ToolCallFormat.Mistral, "Sure.[TOOL_CALLS][{\"name\": \"ping\", \"arguments\": {}}]", "text:Sure.|0 call_0 ping:|0 arguments:{}" },
        { ToolCallFormat.Mistral, "[TOOL_", "text:[TOOL_" },
        { ToolCallFormat.Json, "[{\"name\":\"ping\",\"arguments\":{}},{\"name\":\"ping\",\"arguments\":{}}]",
            "0 call_0 ping:|0 arguments:{}|1 call_1 ping:|1 arguments:{}" },
        { ToolCallFormat.Json, "\n{\"name\":\"ping\",\"arguments\":{}}", "0 call_0 ping:|0 arguments:{}" },
        { ToolCallFormat.Json, "{}", "text:{}" },
        { ToolCallFormat.Json, "{\"name\":1}", "text:{\"name\":1}" },
        { ToolCallFormat.Json, " \n", "text: \n" },
    };

    [Theory, MemberData(nameof(Answers))]
    public void Answers_become_text_and_calls_wherever_they_are_cut(ToolCallFormat format, string answer, string expected)
    {
        Assert.Equal(expected, Parsed(format, [answer]));
        Assert.Equal(expected, Parsed(format, answer.Select(c => c.ToString())));
        for (var i = 1; i < answer.Length; i++) Assert.Equal(expected, Parsed(format, [answer[..i], answer[i..]]));
    }

    [Fact]
    public void Any_text_at_all_is_parsed_alike_wherever_it_is_cut_and_loses_nothing_that_is_text()
    {
        string[] parts = ["<tool_call>", "</tool_call>", "[TOOL_CALLS]", "<|python_tag|>", "<tool_", "{", "}", "[", "]",
            ",", ";", " ", "\n", "a", "\"", "\\",
            "{\"name\":", "\"ping\"", ",\"arguments\":", "{\"name\":\"ping\",\"arguments\":{\"a\":\"}\"}}", "{\"name\":\"ping\",\"parameters\":{}}"];
        var answers = Gen.Int[0, parts.Length - 1].Array[0, 14].Select(a => string.Concat(a.Select(i => parts[i])));
        Gen.Select(Gen.Enum<ToolCallFormat>(), answers, Gen.Int[1, 7].Array[200]).Sample((format, answer, cuts) =>
        {
            var pieces = new List<string>();
            for (int at = 0, i = 0; at < answer.Length; at += cuts[i % 200], i++)
                pieces.Add(answer[at..Math.Min(answer.Length, at + cuts[i % 200])]);
            var whole = Parsed(format, [answer]);
            Assert.Equal(whole, Parsed(format, pieces));
            if (!whole.Contains("call_", StringComparison.Ordinal)) Assert.Equal(answer == "" ? "" : "text:" + answer, whole);
        }, iter: 20_000);
    }

    [Theory]
    [InlineData(ToolCallFormat.Hermes)]
    [InlineData(ToolCallFormat.Llama)]
    [InlineData(ToolCallFormat.Mistral)]
    [InlineData(ToolCallFormat.Json)]
    public void What_must_be_a_call_is_one_that_the_parser_reads_and_the_schema_takes(ToolCallFormat format)
    {
        var schema = JsonElement.Parse(Weather).GetProperty("function").GetProperty("parameters");
        foreach (var choice in new[] { "\"required\"", """{"type":"function","function":{"name":"get_weather"}}""" })
        {
            var tools = Tools(choice);
            var grammar = tools.GrammarFor(format)!;
            for (var seed = 0; seed < 25; seed++)
            {
                var parser = new ToolCallParser(tools, format, () => "id");
                var deltas = parser.Append(grammar.RandomText(Vocabulary.Small, new Random(seed), 80)).Concat(parser.Finish()).ToList();
                Assert.DoesNotContain(deltas, d => d is ToolCallDelta.Content);
                var calls = deltas.OfType<ToolCallDelta.Call>().ToList();
                Assert.InRange(calls.Count, 1, tools.Choice == ToolChoice.Named ? 1 : ToolSet.MaximumCalls);
                foreach (var call in calls)
                {
                    var fragments = deltas.OfType<ToolCallDelta.Arguments>().Where(a => a.Index == call.Index);
                    var text = string.Concat(fragments.Select(a => a.Fragment));
                    var arguments = JsonElement.Parse(text);
                    if (call.Name == "ping") Assert.Equal("{}", text);
                    else Assert.True(NaiveValidator.IsValid(schema, arguments, schema), text);
                }
            }
        }
    }

    [Fact]
    public void Only_a_required_or_named_tool_constrains_the_answer()
    {
        Assert.Null(Tools("\"auto\"").GrammarFor(ToolCallFormat.Hermes));
        Assert.Null(Tools("\"none\"").GrammarFor(ToolCallFormat.Hermes));
        Assert.False(Tools("\"none\"").MayCall);
        var one = Tools("\"required\"", isParallel: false).GrammarFor(ToolCallFormat.Llama)!;
        Assert.True(one.Accepts("""{"name": "ping", "parameters": {}}"""));
        Assert.False(one.Accepts("""{"name": "ping", "parameters": {}}; {"name": "ping", "parameters": {}}"""));
        var several = Tools("\"required\"").GrammarFor(ToolCallFormat.Llama)!;
        Assert.True(several.Accepts("""{"name": "ping", "parameters": {}}; {"name":"ping","parameters":{}}"""));
        Assert.False(Tools("""{"type":"function","function":{"name":"ping"}}""").GrammarFor(ToolCallFormat.Llama)!
            .Accepts("""{"name":"get_weather","parameters":{"city":"x"}}"""));
    }

    [Fact]
    public void Parameters_that_cannot_be_held_are_an_error_where_strict_and_any_object_else()
    {
        static ToolSet With(string strict) => ToolSet.Parse(JsonElement.Parse(
            """[{"type":"function","function":{"name":"f","strict":STRICT,"parameters":{"type":"object","not":{}}}}]"""
                .Replace("STRICT", strict, StringComparison.Ordinal)),
            JsonElement.Parse("\"required\""), true, new List<string>())!;
        Assert.True(With("false").GrammarFor(ToolCallFormat.Llama)!.Accepts("""{"name":"f","parameters":{"x":1}}"""));
        var failure = Assert.Throws<GrammarException>(() => With("true").GrammarFor(ToolCallFormat.Llama));
        Assert.StartsWith("f#: not cannot be held", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_problems_of_a_request_are_told_at_once()
    {
        var problems = new List<string>();
        var tools = "[" + Ping + "," + Ping + """
            ,{"type":"web"},{"type":"function","function":{"name":"a b"}},{"type":"function","function":{"name":"c","parameters":[]}}]
            """;
        var choice = JsonElement.Parse("""{"type":"function","function":{"name":"zap"}}""");
        Assert.Null(ToolSet.Parse(JsonElement.Parse(tools), choice, true, problems));
        Assert.Equal(
        [
            "tools[1].function.name is 'ping', as another tool's; names must differ.",
            "tools[2].type is web; only function is supported.",
            "tools[3].function.name is 'a b'; expected 1 to 64 letters, digits, _ and -.",
            "tools[4].function.parameters is not an object; give a JSON Schema.",
            "tool_choice names 'zap', which is not among the tools.",
        ], problems);
        problems.Clear();
        Assert.Null(ToolSet.Parse(null, JsonElement.Parse("\"required\""), true, problems));
        Assert.Null(ToolSet.Parse(JsonElement.Parse("{}"), JsonElement.Parse("\"maybe\""), true, problems));
        Assert.Equal(3, problems.Count);
        Assert.Equal(ToolChoice.None, ToolSet.Parse(null, null, true, problems)!.Choice);
    }

    [Theory]
    [InlineData(null, ToolCallFormat.Json)]
    [InlineData("{{ messages }}", ToolCallFormat.Json)]
    [InlineData("For each function call return <tool_call>{\"name\": ..}</tool_call>", ToolCallFormat.Hermes)]
    [InlineData("<tool_call>\n<function=example>", ToolCallFormat.Json)]
    [InlineData("{%- if builtin_tools %}Environment: ipython{% endif %} '{\"name\": \"' + '\", \"parameters\": '", ToolCallFormat.Llama)]
    [InlineData("{{ \"[TOOL_CALLS] [\" }}", ToolCallFormat.Mistral)]
    public void The_format_is_the_one_that_the_template_writes(string? template, ToolCallFormat format) =>
        Assert.Equal(format, ToolCallFormats.Detect(template));
}
