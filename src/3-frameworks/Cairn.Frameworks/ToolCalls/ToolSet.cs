using System.Text.Json;

namespace Cairn.Frameworks.ToolCalls;

/// <summary>Whether the model may call, must call, or must call one certain tool.</summary>
public enum ToolChoice { None, Auto, Required, Named }

/// <summary>A function that the model may ask for.</summary>
/// <param name="Name">Letters, digits, <c>_</c> and <c>-</c>; at most 64.</param>
/// <param name="Description">For the model.</param>
/// <param name="Parameters">A JSON Schema; null for a function without arguments.</param>
/// <param name="IsStrict">Whether arguments must satisfy the schema, so that a schema that cannot be held is an error.</param>
public sealed record Tool(string Name, string? Description, JsonElement? Parameters, bool IsStrict);

/// <summary>The tools of one request and what the model is to do with them: OpenAI's <c>tools</c>, <c>tool_choice</c> and
/// <c>parallel_tool_calls</c>.</summary>
public sealed partial class ToolSet
{
    /// <summary>Tools per request.</summary>
    public const int MaximumTools = 128;

    /// <summary>Calls in one answer where several are allowed and one is required.</summary>
    public const int MaximumCalls = 16;

    private ToolSet(IReadOnlyList<Tool> tools, ToolChoice choice, string? named, bool isParallel) =>
        (Tools, Choice, Named, IsParallel) = (tools, choice, named, isParallel);

    public IReadOnlyList<Tool> Tools { get; }
    public ToolChoice Choice { get; }

    /// <summary>The tool to call where <see cref="Choice"/> is <see cref="ToolChoice.Named"/>.</summary>
    public string? Named { get; }

    /// <summary>Whether one answer may hold several calls.</summary>
    public bool IsParallel { get; }

    /// <summary>Whether the answer may hold calls, so that it must be parsed for them.</summary>
    public bool MayCall => Choice != ToolChoice.None && Tools.Count > 0;

    /// <summary>Reads a request's members as they are.</summary>
    /// <param name="tools">Null or JSON null where there are none.</param>
    /// <param name="choice">Null means auto where there are tools, and none else.</param>
    /// <param name="isParallel">True where the request does not say.</param>
    /// <param name="problems">Gets what is wrong, all of it, with the member's path.</param>
    /// <returns>Null where something is wrong.</returns>
    public static ToolSet? Parse(JsonElement? tools, JsonElement? choice, bool isParallel, ICollection<string> problems)
    {
        var before = problems.Count;
        var parsed = new List<Tool>();
        if (tools is { ValueKind: JsonValueKind.Array } list)
        {
            if (list.GetArrayLength() is > MaximumTools and var count)
                problems.Add($"tools has {count} tools; at most {MaximumTools} are taken.");
            foreach (var (index, tool) in list.EnumerateArray().Take(MaximumTools).Index())
                if (ParseTool(tool, $"tools[{index}]", parsed, problems) is { } read) parsed.Add(read);
        }
        else if (tools is { ValueKind: not JsonValueKind.Null }) problems.Add("tools is not a list; give a list of tools.");
        var (kind, named) = ParseChoice(choice, parsed, problems);
        return problems.Count > before ? null : new ToolSet(parsed, kind, named, isParallel);
    }

    private static Tool? ParseTool(JsonElement tool, string path, List<Tool> earlier, ICollection<string> problems)
    {
        if (Text(tool, "type") is var type and not "function")
        {
            problems.Add($"{path}.type is {type ?? "missing"}; only function is supported.");
            return null;
        }
        if (!tool.TryGetProperty("function", out var function) || Text(function, "name") is not { } name)
        {
            problems.Add($"{path}.function.name is missing; give the function's name.");
            return null;
        }
        if (name.Length is 0 or > 64 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'))
            problems.Add($"{path}.function.name is '{name}'; expected 1 to 64 letters, digits, _ and -.");
        if (earlier.Any(e => e.Name == name)) problems.Add($"{path}.function.name is '{name}', as another tool's; names must differ.");
        JsonElement? parameters = function.TryGetProperty("parameters", out var p) && p.ValueKind != JsonValueKind.Null ? p : null;
        if (parameters is { ValueKind: not JsonValueKind.Object })
        {
            problems.Add($"{path}.function.parameters is not an object; give a JSON Schema.");
            return null;
        }
        var isStrict = function.TryGetProperty("strict", out var strict) && strict.ValueKind == JsonValueKind.True;
        return new Tool(name, Text(function, "description"), parameters?.Clone(), isStrict);
    }

    private static (ToolChoice, string?) ParseChoice(JsonElement? choice, List<Tool> tools, ICollection<string> problems)
    {
        if (choice is not { ValueKind: not JsonValueKind.Null } given) return (tools.Count > 0 ? ToolChoice.Auto : ToolChoice.None, null);
        var word = given.ValueKind == JsonValueKind.String ? given.GetString() : null;
        if (word == "none") return (ToolChoice.None, null);
        if (word == "auto") return (tools.Count > 0 ? ToolChoice.Auto : ToolChoice.None, null);
        if (word == "required")
        {
            if (tools.Count == 0) problems.Add("tool_choice is required, but tools is empty; give the tools to choose from.");
            return (ToolChoice.Required, null);
        }
        if (Text(given, "type") != "function" || !given.TryGetProperty("function", out var function)
            || Text(function, "name") is not { } name)
        {
            problems.Add($"tool_choice is {given.GetRawText()}; expected none, auto, required or "
                + """{"type":"function","function":{"name":…}}.""");
            return (ToolChoice.None, null);
        }
        if (tools.All(t => t.Name != name)) problems.Add($"tool_choice names '{name}', which is not among the tools.");
        return (ToolChoice.Named, name);
    }

    private static string? Text(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString() : null;
}
