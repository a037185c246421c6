using System.Text.Json.Nodes;

namespace Cairn.Frameworks.ChatTemplates;

/// <summary>A model's chat template: the subset of Jinja that published templates use. Safe for concurrent use.</summary>
public sealed class ChatTemplate
{
    /// <summary>From <c>chat_template.jinja</c>, or <c>chat_template</c> in <c>tokenizer_config.json</c>; null where the folder has neither.</summary>
    /// <exception cref="ChatTemplateException">The template does not parse.</exception>
    public static ChatTemplate? Load(string folder) =>
        File.Exists(Path.Combine(folder, "chat_template.jinja")) ? Parse(File.ReadAllText(Path.Combine(folder, "chat_template.jinja"))) : null;

    /// <summary>Parses a template.</summary>
    /// <exception cref="ChatTemplateException">The template does not parse; the message has line and column.</exception>
    public static ChatTemplate Parse(string source) => throw new NotImplementedException();

    /// <summary>Renders a conversation to the text that the model continues. Bounded in steps and in output, so a template cannot loop for ever.</summary>
    /// <param name="variables">What the template sees: <c>messages</c>, <c>tools</c>, <c>add_generation_prompt</c>, <c>bos_token</c>, … .</param>
    /// <param name="now">What <c>strftime_now</c> tells.</param>
    /// <param name="cancellationToken">Ends the rendering.</param>
    /// <exception cref="ChatTemplateException">The template raised an error, used something undefined in a way it may not, or passed a bound.</exception>
    public string Render(JsonObject variables, DateTimeOffset now, CancellationToken cancellationToken = default) => throw new NotImplementedException();
}

/// <summary>A chat template cannot be parsed, or refused a conversation.</summary>
public sealed class ChatTemplateException(string message, Exception? inner = null) : Exception(message, inner);
