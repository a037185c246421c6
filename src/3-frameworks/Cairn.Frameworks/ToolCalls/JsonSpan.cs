namespace Cairn.Frameworks.ToolCalls;

/// <summary>Finds where a JSON object or list ends, character by character, without judging what is inside.</summary>
internal struct JsonSpan
{
    private int _depth;
    private bool _inString;
    private bool _escaped;

    /// <summary>How many open braces and brackets there are.</summary>
    public readonly int Depth => _depth;

    public readonly bool IsInString => _inString;

    /// <summary>Takes a character; tells whether it closes what was opened first.</summary>
    public bool Closes(char character)
    {
        if (_inString)
        {
            if (_escaped) _escaped = false;
            else if (character == '\\') _escaped = true;
            else if (character == '"') _inString = false;
            return false;
        }
        switch (character)
        {
            case '"': _inString = true; return false;
            case '{' or '[': _depth++; return false;
            case '}' or ']': return --_depth == 0;
            default: return false;
        }
    }
}
