using System.Text.Json;
using System.Text.RegularExpressions;
using Cairn.Frameworks.ToolCalls;

namespace Cairn.Frameworks.Engine.OpenAi.Requests;

/// <summary>Reads <c>tools</c>, <c>tool_choice</c> and <c>parallel_tool_calls</c>, and names the field that is wrong.</summary>
internal static partial class ToolFields
{
    /// <summary>Null where the model shall call nothing.</summary>
    public static ToolSet? Read(Fields fields)
    {
        if (fields.Has("functions") || fields.Has("function_call"))
            fields.Refuse(fields.Has("functions") ? "functions" : "function_call",
                "functions and function_call are not supported; use tools and tool_choice.", "unsupported");
        var names = Names(fields);
        CheckChoice(fields, names);
        var parallel = fields.Flag("parallel_tool_calls") ?? true;
        if (fields.Error is not null)
            return null;
        var problems = new List<string>();
        var tools = ToolSet.Parse(Element(fields, "tools"), Element(fields, "tool_choice"), parallel, problems);
        if (tools is null)
            fields.Refuse("tools", problems[0]);
        return tools is { MayCall: true } ? tools : null;
    }

    private static JsonElement? Element(Fields fields, string name) => fields.TryGet(name, out var value) ? value : null;

    private static List<string> Names(Fields fields)
    {
        var names = new List<string>();
        foreach (var tool in fields.Objects("tools", ToolSet.MaximumTools))
        {
            if (tool.Object("function") is not { } function)
            {
                tool.Refuse("function", $"{tool.PathOf("function")} is missing; expected an object with name and parameters.");
                return names;
            }

            if (tool.OneOf("type", "function") is null)
                tool.Refuse("type", $"{tool.PathOf("type")} is missing; expected function.");
            var name = function.Text("name") ?? "";
            if (!Name().IsMatch(name))
                function.Refuse("name", $"{function.PathOf("name")} is '{Fields.Short(name)}'; expected 1 to 64 letters, digits, _ or -.");
            if (names.Contains(name))
                function.Refuse("name", $"{function.PathOf("name")} is '{name}', and so is another function's; each needs a name of its own.");
            function.Text("description");
            function.Flag("strict");
            function.Object("parameters");
            names.Add(name);
        }

        return names;
    }

    private static void CheckChoice(Fields fields, List<string> names)
    {
        if (!fields.TryGet("tool_choice", out var choice))
            return;
        if (choice.ValueKind == JsonValueKind.String)
        {
            if (fields.OneOf("tool_choice", "none", "auto", "required") == "required" && names.Count == 0)
                fields.Refuse("tool_choice", "tool_choice is 'required', and there are no tools.");
            return;
        }

        if (fields.Object("tool_choice") is not { } named)
            return;
        named.OneOf("type", "function");
        var only = named.Object("function")?.Text("name");
        if (only is null)
            named.Refuse("function", "tool_choice.function.name is missing; it says which function to call.");
        else if (!names.Contains(only))
            fields.Refuse("tool_choice", $"tool_choice names the function '{Fields.Short(only)}', which is not among the tools.");
    }

    [GeneratedRegex("^[a-zA-Z0-9_-]{1,64}$")]
    private static partial Regex Name();
}
