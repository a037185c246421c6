namespace Cairn.Frameworks.Engine;

/// <summary>
/// As many requests wait as <see cref="EngineOptions.QueueLimit"/> allows, so this one was not taken. Thrown by <see cref="LanguageModel.Start"/>, or by the
/// first read of the generation; nothing was generated, and it may be asked again.
/// </summary>
public sealed class EngineBusyException(string message) : Exception(message);
