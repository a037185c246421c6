using System.Text.Json;
using System.Text.RegularExpressions;

namespace Cairn.Frameworks.Engine.OpenAi.Requests;

/// <summary>Reads <c>tools</c>, <c>tool_choice</c> and <c>parallel_tool_calls</c>.</summary>
internal static partial class ToolFields
{
    private const int MostTools = 128;

    public static ToolRequest Read(Fields fields)
    {
        if (fields.Has("functions") || fields.Has("function_call"))
            fields.Refuse(fields.Has("functions") ? "functions" : "function_call", "functions and function_call are not supported; use tools and tool_choice.", "unsupported");
        var tools = Tools(fields);
        var (use, only) = Choice(fields, tools);
        var parallel = fields.Flag("parallel_tool_calls") ?? true;
        return tools.Count == 0 ? ToolRequest.Nothing : new ToolRequest(tools, use, only, parallel);
    }

    private static List<ToolSpec> Tools(Fields fields)
    {
        var tools = new List<ToolSpec>();
        foreach (var tool in fields.Objects("tools", MostTools))
        {
            tool.OneOf("type", "function");
            if (tool.Object("function") is not { } function)
            {
                tool.Refuse("function", $"{tool.PathOf("function")} is missing; expected an object with name and parameters.");
                return [];
            }

            var name = function.Text("name") ?? "";
            if (!Name().IsMatch(name))
                function.Refuse("name", $"{function.PathOf("name")} is '{Fields.Short(name)}'; expected 1 to 64 letters, digits, _ or -.");
            if (tools.Any(other => other.Name == name))
                function.Refuse("name", $"{function.PathOf("name")} is '{name}', and so is another function's; each needs a name of its own.");
            function.Text("description");
            tools.Add(new ToolSpec(name, function.Object("parameters")?.Element));
        }

        return tools;
    }

    private static (ToolUse Use, string? Only) Choice(Fields fields, List<ToolSpec> tools)
    {
        if (!fields.TryGet("tool_choice", out var choice))
            return (tools.Count > 0 ? ToolUse.Auto : ToolUse.None, null);
        if (choice.ValueKind == JsonValueKind.String)
        {
            var word = fields.OneOf("tool_choice", "none", "auto", "required");
            if (word == "required" && tools.Count == 0)
                fields.Refuse("tool_choice", "tool_choice is 'required', and there are no tools.");
            return (word switch { "required" => ToolUse.Required, "auto" => ToolUse.Auto, _ => ToolUse.None }, null);
        }

        if (fields.Object("tool_choice") is not { } named)
            return (ToolUse.None, null);
        named.OneOf("type", "function");
        var only = named.Object("function")?.Text("name");
        if (only is null)
            named.Refuse("function", "tool_choice.function.name is missing; it says which function to call.");
        else if (tools.All(tool => tool.Name != only))
            fields.Refuse("tool_choice", $"tool_choice names the function '{Fields.Short(only)}', which is not among the tools.");
        return (ToolUse.Required, only);
    }

    [GeneratedRegex("^[a-zA-Z0-9_-]{1,64}$")]
    private static partial Regex Name();
}
