using System.Text.Json.Nodes;
using Cairn.Frameworks.ToolCalls;

namespace Cairn.Frameworks.Engine.OpenAi.Requests;

/// <summary>A chat: the conversation, the functions it may call, and what is asked of the output.</summary>
internal sealed record ChatRequest
{
    private const int MostTopLogprobs = 20;

    /// <summary>As chat templates see them.</summary>
    public required JsonArray Messages { get; init; }

    public required OutputSpec Output { get; init; }

    /// <summary>Null where the model shall call nothing.</summary>
    public ToolSet? Tools { get; init; }

    /// <summary>The functions as they were sent, for the template; null where none shall be shown.</summary>
    public JsonArray? ToolsAsSent { get; init; }

    /// <summary>vLLM's <c>chat_template_kwargs</c>: further variables of the template.</summary>
    public JsonObject? TemplateVariables { get; init; }

    public bool AddGenerationPrompt { get; init; } = true;

    public static ChatRequest Parse(Fields fields)
    {
        var logprobs = fields.Flag("logprobs") ?? false;
        var top = (int?)fields.Integer("top_logprobs", 0, MostTopLogprobs);
        if (top is not null && !logprobs)
            fields.Refuse("top_logprobs", "top_logprobs is given, and logprobs is not true.");
        var tools = ToolFields.Read(fields);
        var output = OutputFields.Read(fields, logprobs ? top ?? 0 : null);
        if (tools is { Choice: not ToolChoice.Auto } && output.Constraint is { } constraint)
            fields.Refuse(constraint.Param, $"{constraint.Param} and tool_choice both say what the output looks like; give one of them.");
        return new ChatRequest
        {
            Messages = MessageFields.Read(fields),
            Output = output,
            Tools = tools,
            ToolsAsSent = tools is not null && fields.TryGet("tools", out var sent) ? JsonArray.Create(sent) : null,
            TemplateVariables = fields.Object("chat_template_kwargs") is { } variables ? JsonObject.Create(variables.Element) : null,
            AddGenerationPrompt = fields.Flag("add_generation_prompt") ?? true,
        };
    }
}
