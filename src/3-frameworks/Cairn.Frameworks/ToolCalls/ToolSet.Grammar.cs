using System.Text.Json;
using System.Text.Json.Nodes;
using Cairn.Frameworks.Constraining;
using Cairn.Frameworks.Constraining.Automata;
using Cairn.Frameworks.Constraining.JsonSchemas;

namespace Cairn.Frameworks.ToolCalls;

public sealed partial class ToolSet
{
    private static readonly JsonElement NoParameters = JsonElement.Parse("""{"type":"object","properties":{}}""");
    private static readonly JsonElement AnyParameters = JsonElement.Parse("""{"type":"object"}""");

    /// <summary>The texts that call a tool, where one must be called; null where the answer is free.</summary>
    /// <param name="format">The model's.</param>
    /// <exception cref="GrammarException">A strict tool's parameters cannot be held. Those of others are then any JSON object.</exception>
    public Grammar? GrammarFor(ToolCallFormat format)
    {
        if (Choice is ToolChoice.None or ToolChoice.Auto) return null;
        var callable = Tools.Where(t => Named is null || t.Name == Named).ToList();
        var schemas = callable.Select(t => new SchemaRoot(ParametersOf(t), $"{t.Name}#")).ToList();
        var calls = IsParallel && Choice == ToolChoice.Required ? MaximumCalls : 1;
        return Grammar.OfSchemas(schemas, (nfa, value) => new CallWriter(nfa, format, callable, value).Calls(calls));
    }

    /// <summary>What the system message must say where the template does not tell the model about tools.</summary>
    public string Instruction()
    {
        var list = new JsonArray([.. Tools.Select(t => (JsonNode)new JsonObject
        {
            ["name"] = t.Name,
            ["description"] = t.Description,
            ["parameters"] = JsonNode.Parse((t.Parameters ?? NoParameters).GetRawText()),
        })]);
        return $$$"""
            You can call these functions: {{{list.ToJsonString()}}}
            To call one, answer with nothing but {"name": "<its name>", "arguments": {<its arguments>}}, or with a JSON list of such objects.
            """;
    }

    private static JsonElement ParametersOf(Tool tool)
    {
        if (tool.Parameters is not { } parameters) return NoParameters;
        if (tool.IsStrict) return parameters;
        try
        {
            Grammar.FromJsonSchema(parameters);
            return parameters;
        }
        catch (GrammarException)
        {
            return AnyParameters;
        }
    }

    private sealed class CallWriter(Nfa nfa, ToolCallFormat format, List<Tool> tools, Func<int, Fragment> value)
    {
        public Fragment Calls(int maximum)
        {
            var call = nfa.Declare();
            var one = nfa.Either(tools.Select((t, i) => Call(t.Name, value(i))));
            nfa.Define(call, format == ToolCallFormat.Hermes ? Between("<tool_call>", "\n", one, "\n", "</tool_call>") : one);
            var (start, end) = (nfa.State(), nfa.State());
            var said = start;
            for (var i = 0; i < maximum; i++)
            {
                if (i > 0) said = Separator(said);
                var next = nfa.State();
                nfa.Call(said, call, next);
                nfa.Skip(said = next, end);
            }
            var all = new Fragment(start, end);
            // The marker itself is a special token, and stands at the prompt's end.
            var isList = format == ToolCallFormat.Mistral || (format == ToolCallFormat.Json && maximum > 1);
            return isList ? Between("[", "", all, "", "]") : all;
        }

        private int Separator(int from)
        {
            var (separated, next) = (nfa.State(), nfa.State());
            var separator = format switch { ToolCallFormat.Hermes => '\n', ToolCallFormat.Llama => ';', _ => ',' };
            nfa.Range(from, separator, separator, separated);
            nfa.Skip(separated, next);
            if (format != ToolCallFormat.Hermes) nfa.Range(separated, ' ', ' ', next);
            return next;
        }

        private Fragment Between(string open, string space, Fragment middle, string spaceAfter, string close) =>
            nfa.Sequence(nfa.Text(open), Optional(space), middle, Optional(spaceAfter), nfa.Text(close));

        private Fragment Optional(string text) => text == "" ? nfa.Text("") : nfa.Either(nfa.Text(text), nfa.Text(""));

        private Fragment Call(string name, Fragment arguments) => nfa.Sequence(
            nfa.Text("{\"name\":"), Optional(" "), nfa.Text($"\"{name}\","), Optional(" "),
            nfa.Text($"\"{format.ArgumentsKey()}\":"), Optional(" "), arguments, nfa.Text("}"));
    }
}
