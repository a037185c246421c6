namespace Cairn.Frameworks.ToolCalls;

/// <summary>Splits an answer, as it comes, into text and tool calls, and leaves out the marks between them. One per answer.</summary>
/// <remarks>Where the text is cut into pieces makes no difference to what the deltas add up to. A call counts from the moment its name, a
/// known tool's, and the beginning of its arguments are read; what looks like a call and is none is text. White space around calls is
/// dropped.</remarks>
public sealed class ToolCallParser
{
    private const string Tag = "<|python_tag|>", Close = "</tool_call>";

    private enum State { Text, Opening, Header, Arguments, Rest, Closing }

    private readonly ToolCallFormat _format;
    private readonly HashSet<string> _names;
    private readonly Func<string> _newId;
    private readonly List<ToolCallDelta> _deltas = [];
    private State _state = State.Text;
    private string _held = ""; // not yet decided upon
    private string _mark = ""; // what led into the call that is being read, given back where it is none
    private JsonSpan _span;
    private bool _isBeginning = true;
    private bool _isAfterCall;
    private bool _inList;

    /// <param name="tools">Whose names are calls.</param>
    /// <param name="format">The model's.</param>
    /// <param name="newId">Gives each call its id; OpenAI's begin with <c>call_</c>.</param>
    public ToolCallParser(ToolSet tools, ToolCallFormat format, Func<string> newId)
    {
        (_format, _newId) = (format, newId);
        _names = [.. tools.Tools.Select(t => t.Name)];
    }

    /// <summary>Calls that began so far.</summary>
    public int Calls { get; private set; }

    /// <summary>What more is certain with this text.</summary>
    public IReadOnlyList<ToolCallDelta> Append(string text)
    {
        _deltas.Clear();
        _held += text;
        while (_held.Length > 0 && Step()) { }
        return [.. _deltas];
    }

    /// <summary>What was held back, when the answer is at its end.</summary>
    public IReadOnlyList<ToolCallDelta> Finish()
    {
        _deltas.Clear();
        var rest = _mark + _held;
        var isDangling = _state == State.Opening && Calls > 0; // a separator after which no call came
        if (_state is State.Text or State.Opening or State.Header && !isDangling && (Calls == 0 || !string.IsNullOrWhiteSpace(rest)))
            Say(rest);
        _held = _mark = "";
        return [.. _deltas];
    }

    /// <summary>Goes on with what is held; false where more is needed.</summary>
    private bool Step() => _state switch
    {
        State.Text => ReadText(),
        State.Opening => ReadOpening(),
        State.Header => ReadHeader(),
        State.Arguments => ReadArguments(),
        State.Rest => ReadRest(),
        _ => ReadClosing(),
    };

    private bool ReadText()
    {
        var blank = _held.Length - _held.TrimStart().Length;
        if ((_isBeginning || _isAfterCall) && blank == _held.Length) return false;
        if (_isAfterCall) (_held, blank) = (_held[blank..], 0);
        if (_isBeginning && _format != ToolCallFormat.Hermes && ReadBeginning(_held[blank..]) is { } length)
            return length >= 0 && Enter(State.Opening, blank + length);
        if (Mark is not { } mark) return SayAll();
        var found = _held.IndexOf(mark, StringComparison.Ordinal);
        if (found >= 0)
        {
            var before = _held[..found].TrimEnd();
            Say(before);
            _held = _held[before.Length..];
            return Enter(State.Opening, found - before.Length + mark.Length);
        }
        // White space may lead into a mark, and a mark may have begun.
        var kept = _held.Length - HeldBack(mark);
        kept = _held.AsSpan(0, kept).TrimEnd().Length;
        Say(_held[..kept]);
        _held = _held[kept..];
        return false;
    }

    /// <summary>Where the whole answer may be a call: how long the mark before it is, or -1 where more text is needed to tell; null where
    /// it is none.</summary>
    private int? ReadBeginning(string text)
    {
        if (text[0] == '{') return 0;
        if (_format == ToolCallFormat.Llama && text.StartsWith(Tag, StringComparison.Ordinal)) return Tag.Length;
        if (_format == ToolCallFormat.Llama && Tag.StartsWith(text, StringComparison.Ordinal)) return -1;
        if (text[0] != '[') return null;
        if (Mark is not { } mark) return 0;
        if (text.StartsWith(mark, StringComparison.Ordinal)) return null;
        return mark.StartsWith(text, StringComparison.Ordinal) ? -1 : 0;
    }

    private string? Mark => _format switch
    {
        ToolCallFormat.Hermes => "<tool_call>",
        ToolCallFormat.Mistral => "[TOOL_CALLS]",
        _ => null,
    };

    private int HeldBack(string mark)
    {
        for (var length = Math.Min(mark.Length - 1, _held.Length); length > 0; length--)
            if (_held.AsSpan().EndsWith(mark.AsSpan(0, length))) return length;
        return 0;
    }

    private bool SayAll()
    {
        Say(_held);
        _held = "";
        return false;
    }

    /// <summary>Moves so many held characters to the mark.</summary>
    private bool Enter(State state, int length)
    {
        _mark += _held[..length];
        _held = _held[length..];
        _state = state;
        return true;
    }

    /// <summary>Between a mark and the call's brace: white space, and where there may be a list, its bracket.</summary>
    private bool ReadOpening()
    {
        var blank = _held.Length - _held.TrimStart().Length;
        if (blank == _held.Length) return false;
        if (_held[blank] == '{') return Enter(State.Header, blank);
        if (_held[blank] != '[' || _inList || _format == ToolCallFormat.Hermes) return GiveBack();
        _inList = true;
        return Enter(State.Opening, blank + 1);
    }

    private bool ReadHeader()
    {
        var header = CallHeader.Read(_held);
        if (header.Outcome == CallHeader.Is.Incomplete) return false;
        if (header.Outcome == CallHeader.Is.No || !_names.Contains(header.Name)) return GiveBack();
        _deltas.Add(new ToolCallDelta.Call(Calls++, _newId(), header.Name));
        (_mark, _span, _isBeginning, _isAfterCall) = ("", default, false, true);
        if (header.ArgumentsAt < 0)
        {
            _deltas.Add(new ToolCallDelta.Arguments(Calls - 1, header.Arguments));
            _held = _held[header.End..];
            _state = State.Closing;
            return true;
        }
        _held = _held[header.ArgumentsAt..];
        _state = State.Arguments;
        return true;
    }

    /// <summary>What looked like a call is text.</summary>
    private bool GiveBack()
    {
        var text = _mark + _held;
        // At least the mark itself is text for good; behind it another may begin.
        var decided = Math.Max(1, _mark.Length);
        (_mark, _held, _state, _inList) = ("", text[decided..], State.Text, false);
        Say(text[..decided]);
        return true;
    }

    private bool ReadArguments()
    {
        var end = EndOf();
        _deltas.Add(new ToolCallDelta.Arguments(Calls - 1, end < 0 ? _held : _held[..end]));
        _held = end < 0 ? "" : _held[end..];
        if (end < 0) return false;
        _span = default;
        _span.Closes('{'); // the call's own, whose end comes next
        _state = State.Rest;
        return true;
    }

    private bool ReadRest()
    {
        var end = EndOf();
        _held = end < 0 ? "" : _held[end..];
        if (end >= 0) _state = State.Closing;
        return end >= 0;
    }

    private int EndOf()
    {
        for (var i = 0; i < _held.Length; i++)
            if (_span.Closes(_held[i])) return i + 1;
        return -1;
    }

    /// <summary>After a call: the closing mark, or what leads to the next call.</summary>
    private bool ReadClosing()
    {
        var text = _held.TrimStart();
        if (text == "") return false;
        var isHermes = _format == ToolCallFormat.Hermes;
        if (isHermes && Close.StartsWith(text, StringComparison.Ordinal) && text != Close) return false;
        if (isHermes && text.StartsWith(Close, StringComparison.Ordinal)) return Leave(text[Close.Length..], State.Text);
        if (!isHermes && text[0] == (_inList ? ',' : ';'))
        {
            _mark = text[..1];
            return Leave(text[1..], State.Opening);
        }
        if (_inList && text[0] == ']') return Leave(text[1..], State.Text);
        _state = State.Text;
        return true;
    }

    private bool Leave(string rest, State state)
    {
        _held = rest;
        _state = state;
        if (state == State.Text) _inList = false;
        return true;
    }

    private void Say(string text)
    {
        if (text == "") return;
        _isBeginning = _isAfterCall = false;
        _deltas.Add(new ToolCallDelta.Content(text));
    }
}
