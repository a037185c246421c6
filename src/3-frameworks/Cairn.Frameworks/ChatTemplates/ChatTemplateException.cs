namespace Cairn.Frameworks.ChatTemplates;

/// <summary>A chat template cannot be parsed, or refused a conversation.</summary>
public sealed class ChatTemplateException(string message, Exception? inner = null) : Exception(message, inner);
