namespace Cairn.Node;

/// <summary>
/// The daemon cannot go on: the control plane refuses this node, or its settings do not let it start. The message is for the person who
/// started it.
/// </summary>
/// <param name="code">Stable, for programs: <c>options</c>, <c>locked</c>, <c>not_joined</c>, <c>authority_mismatch</c>,
/// <c>certificate</c>, <c>platform</c>, <c>bad_reply</c>, <c>join_refused</c>, or the server's own.</param>
public sealed class NodeRefusedException(string code, string message) : Exception(message)
{
    public string Code { get; } = code;
}
