namespace Cairn.Frameworks.ChatTemplates.Values;

/// <summary>What goes wrong while a template runs. The statement that it happens in adds its line.</summary>
internal sealed class TemplateFault(string message) : Exception(message);
