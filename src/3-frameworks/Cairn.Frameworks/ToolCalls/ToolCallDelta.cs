namespace Cairn.Frameworks.ToolCalls;

/// <summary>A piece of a parsed answer: text for the reader, a call's beginning, or more of its arguments.</summary>
public abstract record ToolCallDelta
{
    private ToolCallDelta() { }

    /// <summary>Text outside of calls.</summary>
    public sealed record Content(string Text) : ToolCallDelta;

    /// <summary>A call begins; its arguments follow.</summary>
    /// <param name="Index">Counts the answer's calls from 0.</param>
    /// <param name="Id">As the caller's source of ids gave it.</param>
    /// <param name="Name">One of the request's tools.</param>
    public sealed record Call(int Index, string Id, string Name) : ToolCallDelta;

    /// <summary>The next piece of a call's arguments; all pieces make a JSON object, unless the model stopped within it.</summary>
    public sealed record Arguments(int Index, string Fragment) : ToolCallDelta;
}
