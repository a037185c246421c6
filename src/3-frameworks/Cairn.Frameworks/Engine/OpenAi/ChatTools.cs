using System.Text.Json.Nodes;
using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Engine.OpenAi.Requests;
using Cairn.Frameworks.ToolCalls;

namespace Cairn.Frameworks.Engine.OpenAi;

/// <summary>The tools of a chat in the way that its model writes calls.</summary>
/// <param name="Key">Equal where the grammars are.</param>
internal sealed record ChatTools(ToolSet Set, ToolCallFormat Format, bool ToldByTemplate, string Key, Func<string> NewId)
{
    /// <summary>Whether the answer is a call, whatever the model would like.</summary>
    public bool Must => Set.Choice is ToolChoice.Required or ToolChoice.Named;

    /// <summary>Null where nothing may be called.</summary>
    public static ChatTools? Of(ServedLanguageModel model, ChatRequest chat, TimeProvider time)
    {
        if (chat.Tools is not { } set)
            return null;
        var source = model.Template?.Source;
        var format = ToolCallFormats.Detect(source);
        var key = $"tools {format} {set.Choice} {set.Named} {set.IsParallel} {chat.ToolsAsSent?.ToJsonString()}";
        return new ChatTools(set, format, ToolCallFormats.IsToldByTemplate(source), key, () => "call_"
            + Guid.CreateVersion7(time.GetUtcNow()).ToString("N"));
    }

    public ToolCallParser NewParser() => new(Set, Format, NewId);

    /// <summary>Where the template says nothing of tools, the system message does.</summary>
    public void Tell(JsonArray messages)
    {
        if (ToldByTemplate)
            return;
        if (messages is [JsonObject first, ..] && (string?)first["role"] == "system")
            first["content"] = $"{(string?)first["content"]}\n\n{Set.Instruction()}";
        else
            messages.Insert(0, new JsonObject { ["role"] = "system", ["content"] = Set.Instruction() });
    }
}
