using System.Text.Json.Nodes;
using Cairn.Frameworks.ChatTemplates;
using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Engine.OpenAi.Requests;
using Cairn.Frameworks.ToolCalls;

namespace Cairn.Frameworks.Engine.OpenAi;

/// <summary>A conversation as the text that the model continues.</summary>
internal static class ChatPrompt
{
    public static (string? Text, OpenAiError? Error) Render(
        ServedLanguageModel model, ChatRequest chat, ChatTools? tools, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (model.Template is not { } template)
        {
            return (null, OpenAiError.Invalid(
                "messages", $"The model '{model.Name}' has no chat template, so it cannot chat; it answers /v1/completions.",
                    "no_chat_template"));
        }

        tools?.Tell(chat.Messages);
        try
        {
            var text = template.Render(Variables(model, chat), now, cancellationToken);
            return (tools is { Must: true } ? text + tools.Format.PromptSuffix() : text, null);
        }
        catch (ChatTemplateException exception)
        {
            return (null, OpenAiError.Invalid("messages", $"The model's chat template refuses the conversation: {exception.Message}",
                "chat_template"));
        }
    }

    private static JsonObject Variables(ServedLanguageModel model, ChatRequest chat)
    {
        var variables = new JsonObject();
        foreach (var (name, text) in model.SpecialTokens.Texts)
            variables[name] = text;
        foreach (var (name, value) in chat.TemplateVariables ?? [])
            variables[name] = value?.DeepClone();
        variables["messages"] = chat.Messages;
        variables["add_generation_prompt"] = chat.AddGenerationPrompt;
        if (chat.ToolsAsSent is not null)
            variables["tools"] = chat.ToolsAsSent;
        return variables;
    }
}
