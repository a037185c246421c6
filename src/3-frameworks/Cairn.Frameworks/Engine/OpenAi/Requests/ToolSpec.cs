using System.Text.Json;

namespace Cairn.Frameworks.Engine.OpenAi.Requests;

/// <summary>A function that the model may call.</summary>
/// <param name="Parameters">A JSON Schema; null takes no arguments.</param>
internal sealed record ToolSpec(string Name, JsonElement? Parameters);

/// <summary>Whether the model calls functions.</summary>
internal enum ToolUse
{
    None,
    Auto,

    /// <summary>At least one call, of any function or of the named one.</summary>
    Required,
}

/// <summary>The functions of a request, and what it wants of them.</summary>
/// <param name="Only">Set where one function is named; then only it may be called.</param>
/// <param name="Parallel">Whether one answer may hold several calls.</param>
internal sealed record ToolRequest(IReadOnlyList<ToolSpec> Tools, ToolUse Use, string? Only, bool Parallel)
{
    public static readonly ToolRequest Nothing = new([], ToolUse.None, null, true);
}
