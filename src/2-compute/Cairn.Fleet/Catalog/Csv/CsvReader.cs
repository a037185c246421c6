using System.Buffers;

namespace Cairn.Fleet.Catalog.Csv;

/// <summary>
/// Reads comma-separated values (RFC 4180) record by record: quotes, doubled quotes, line ends inside quotes, CRLF, LF or CR, a byte
/// order mark, empty lines. Text that breaks a rule is a <see cref="Fault"/>, never an exception; fields and records are bounded, so no
/// file can fill the memory.
/// </summary>
internal sealed class CsvReader(TextReader text)
{
    public const int MaxFieldLength = 64 * 1024;
    public const int MaxFields = 512;

    private static readonly SearchValues<char> s_plainStops = SearchValues.Create(",\"\r\n\0\uFFFD");
    private static readonly SearchValues<char> s_quotedStops = SearchValues.Create("\"\r\n\0\uFFFD");

    private readonly char[] _buffer = new char[32 * 1024];
    private readonly char[] _field = new char[MaxFieldLength];
    private readonly List<CsvField> _fields = [];
    private readonly CsvTextPool _pool = new();
    private int _at;
    private int _end;
    private int _length;
    private int _line = 1;
    private int _column = 1;
    private bool _started;

    /// <summary>The fields of the record last read; one list, filled anew by every read.</summary>
    public IReadOnlyList<CsvField> Fields => _fields;

    /// <summary>The line on which the record last read begins.</summary>
    public int Line { get; private set; }

    /// <summary>Why the record last read is unusable; null where it is well-formed.</summary>
    public CsvFault? Fault { get; private set; }

    /// <summary>Reads the next record that is not an empty line.</summary>
    /// <returns>False at the end. After a record with a fault reading goes on behind the end of its line.</returns>
    public bool Read()
    {
        SkipByteOrderMark();
        while (Peek() is '\r' or '\n')
            TakeLineEnd();
        if (Peek() < 0)
            return false;

        _fields.Clear();
        Fault = null;
        Line = _line;
        while (ReadField())
        {
            if (_fields.Count == MaxFields)
            {
                Fail(_line, _column, $"more than {MaxFields} fields in one record");
                break;
            }
        }

        while (Fault is not null && Peek() is >= 0 and not ('\r' or '\n'))
            Take();
        if (Peek() >= 0)
            TakeLineEnd();
        return true;
    }

    /// <returns>True where a comma follows, so that the record goes on.</returns>
    private bool ReadField()
    {
        var (line, column) = (_line, _column);
        _length = 0;
        if (Peek() == '"')
            ReadQuoted();
        else
            ReadPlain();
        if (Fault is not null)
            return false;
        _fields.Add(new CsvField(_pool.GetOrAdd(_field.AsSpan(0, _length)), line, column));
        if (Peek() != ',')
            return false;
        Take();
        return true;
    }

    private void ReadPlain()
    {
        KeepUpTo(s_plainStops);
        if (Fault is null && Peek() == '"')
            Fail(_line, _column, "a quote inside a field that does not begin with one; quote the whole field and double the quote");
    }

    private void ReadQuoted()
    {
        var (line, column) = (_line, _column);
        Take();
        while (Fault is null)
        {
            KeepUpTo(s_quotedStops);
            if (Fault is not null)
                return;
            if (Peek() < 0)
            {
                Fail(line, column, "a quoted field that never ends");
                return;
            }

            var c = Take();
            if (c == '"' && Peek() != '"')
                break;
            if (c == '"')
                Take();
            Keep(c);
            if (c == '\n' || (c == '\r' && Peek() != '\n'))
                NextLine();
        }

        if (Fault is null && Peek() is >= 0 and not (',' or '\r' or '\n'))
            Fail(_line, _column, "text behind the closing quote; expected a comma or the end of the line");
    }

    /// <summary>Copies text into the field until one of the stops comes or the file ends.</summary>
    private void KeepUpTo(SearchValues<char> stops)
    {
        while (Peek() >= 0)
        {
            var ahead = _buffer.AsSpan(_at, _end - _at);
            var run = ahead.IndexOfAny(stops) is var stop and >= 0 ? stop : ahead.Length;
            if (run > MaxFieldLength - _length)
            {
                Fail(_line, _column, $"a field longer than {MaxFieldLength} characters");
                return;
            }

            ahead[..run].CopyTo(_field.AsSpan(_length));
            _length += run;
            _column += run;
            _at += run;
            if (_at == _end)
                continue;
            if (_buffer[_at] is '\0' or '\uFFFD')
                Fail(_line, _column, "a byte that is not UTF-8 text");
            return;
        }
    }

    private void Keep(char c)
    {
        if (_length == MaxFieldLength)
            Fail(_line, _column - 1, $"a field longer than {MaxFieldLength} characters");
        else
            _field[_length++] = c;
    }

    private void Fail(int line, int column, string message) => Fault ??= new CsvFault(line, column, message);

    private void TakeLineEnd()
    {
        if (Take() == '\r' && Peek() == '\n')
            Take();
        NextLine();
    }

    private void NextLine() => (_line, _column) = (_line + 1, 1);

    private void SkipByteOrderMark()
    {
        if (!_started && Peek() == '\uFEFF')
            _at++;
        _started = true;
    }

    private int Peek()
    {
        if (_at == _end)
        {
            _end = text.Read(_buffer, 0, _buffer.Length);
            _at = 0;
            if (_end == 0)
                return -1;
        }

        return _buffer[_at];
    }

    private char Take()
    {
        _column++;
        return _buffer[_at++];
    }
}
