namespace Cairn.Serving.Gateway.OpenInference.Grpc;

/// <summary>
/// Walks over a protobuf message's own fields as its bytes come by, without looking into them, and finds the one that has a number and is text; pure. The wire format is
/// protobuf's encoding page: a field is a tag (number and wire type, a varint) and a value whose length the wire type tells.
/// </summary>
internal struct FieldWalk(uint wanted)
{
    private const int LengthDelimited = 2;

    private Step _step;
    private bool _ours;
    private ulong _number;
    private int _shift;
    private long _skip;

    private enum Step
    {
        Tag,
        Varint,
        Length,
        Skip,
        Broken,
    }

    /// <summary>Bytes walked over.</summary>
    public long Position { get; private set; }

    /// <summary>Where the tag of the wanted field begins; -1 while it was not met.</summary>
    public long FieldStart { get; private set; } = -1;

    /// <summary>Where its text begins.</summary>
    public long TextStart { get; private set; } = -1;

    /// <summary>Where it ends, whether that was reached yet or not.</summary>
    public long FieldEnd { get; private set; } = -1;

    /// <summary>Whether the wanted field came by whole.</summary>
    public readonly bool Found => FieldEnd >= 0 && Position >= FieldEnd;

    /// <summary>Whether a message may end here.</summary>
    public readonly bool AtEnd => _step == Step.Tag && _shift == 0;

    /// <summary>Goes on.</summary>
    /// <returns>False where the bytes are no message, or the wanted field comes a second time: what a reader takes then is for nobody to guess.</returns>
    public bool Feed(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty && _step != Step.Broken)
        {
            var taken = _step == Step.Skip ? Skip(bytes.Length) : Number(bytes[0]);
            bytes = bytes[taken..];
            Position += taken;
        }
        return _step != Step.Broken;
    }

    private int Skip(int most)
    {
        var count = (int)Math.Min(most, _skip);
        _skip -= count;
        if (_skip == 0)
            _step = Step.Tag;
        return count;
    }

    private int Number(byte next)
    {
        if (_step == Step.Tag && _shift == 0)
            FieldBegan = Position;
        // A varint of more than 64 bits, or a tag or length of more than 32, is read differently by different readers.
        if (_shift > (_step == Step.Varint ? 63 : 28))
            _step = Step.Broken;
        else
            _number |= (ulong)(next & 0x7F) << _shift;
        _shift += 7;
        if (_step != Step.Broken && next < 0x80)
        {
            var number = _number;
            (_number, _shift) = (0, 0);
            if (_step == Step.Tag)
                Tag(number);
            else if (_step == Step.Length)
                Length(number);
            else
                _step = Step.Tag;
        }
        return 1;
    }

    private void Tag(ulong tag)
    {
        var (field, wire) = (tag >> 3, (int)(tag & 7));
        _ours = field == wanted;
        (_step, _skip) = wire switch
        {
            0 => (Step.Varint, 0),
            1 => (Step.Skip, sizeof(ulong)),
            LengthDelimited => (Step.Length, 0),
            5 => (Step.Skip, sizeof(uint)),
            _ => (Step.Broken, 0),
        };
        if (field == 0 || tag > uint.MaxValue || (_ours && (wire != LengthDelimited || FieldStart >= 0)))
            _step = Step.Broken;
    }

    private void Length(ulong length)
    {
        (_step, _skip) = length > int.MaxValue ? (Step.Broken, 0) : length == 0 ? (Step.Tag, 0) : (Step.Skip, (long)length);
        if (_ours && _step != Step.Broken)
            (FieldStart, TextStart, FieldEnd) = (FieldBegan, Position + 1, Position + 1 + (long)length);
    }

    private long FieldBegan { get; set; }
}
