namespace Cairn.Frameworks.ToolCalls;

/// <summary>How a model writes its tool calls.</summary>
public enum ToolCallFormat
{
    /// <summary>The whole answer is <c>{"name": …, "arguments": {…}}</c>, or a list of such: for models without a format.</summary>
    Json,

    /// <summary>Hermes, Qwen and many others: <c>&lt;tool_call&gt;{"name": …, "arguments": {…}}&lt;/tool_call&gt;</c> after text,
    /// once or more.</summary>
    Hermes,

    /// <summary>Llama 3.1 and later: the whole answer is <c>{"name": …, "parameters": {…}}</c>, several separated by <c>;</c>.</summary>
    Llama,

    /// <summary>Mistral to tokenizer version 7: <c>[TOOL_CALLS] [{"name": …, "arguments": {…}}, …]</c> at the end of the text.</summary>
    Mistral,
}

/// <summary>What follows from a format.</summary>
public static class ToolCallFormats
{
    /// <summary>The format that a chat template writes earlier calls in.</summary>
    /// <param name="template">The template's source; null where the model has none.</param>
    public static ToolCallFormat Detect(string? template)
    {
        if (template is null) return ToolCallFormat.Json;
        if (Has("[TOOL_CALLS]")) return ToolCallFormat.Mistral;
        // Some write XML between the same tags, which is another format.
        if (Has("<tool_call>") && !Has("<function=") && !Has("<arg_key>")) return ToolCallFormat.Hermes;
        if (Has("\"parameters\":") && (Has("ipython") || Has("<|python_tag|>"))) return ToolCallFormat.Llama;
        return ToolCallFormat.Json;

        bool Has(string text) => template.Contains(text, StringComparison.Ordinal);
    }

    /// <summary>Whether the template tells the model of the tools. Where it does not, <see cref="ToolSet.Instruction"/> does.</summary>
    public static bool IsToldByTemplate(string? template) => template is not null && template.Contains("tools", StringComparison.Ordinal);

    /// <summary>What the prompt must end with when the model must call a tool: a special token that constrained text cannot have; mostly
    /// nothing.</summary>
    public static string PromptSuffix(this ToolCallFormat format) => format == ToolCallFormat.Mistral ? "[TOOL_CALLS]" : "";

    internal static string ArgumentsKey(this ToolCallFormat format) => format == ToolCallFormat.Llama ? "parameters" : "arguments";
}
