using System.Text;

namespace Cairn.Frameworks.Quantizing;

/// <summary>The text that two forms of a model are compared on.</summary>
internal static class CalibrationText
{
    private const int LargestRead = 1 << 20;

    internal static string Read(string? path)
    {
        if (path is null)
            return BuiltIn;
        using var file = File.OpenRead(path);
        var bytes = new byte[(int)Math.Min(file.Length, LargestRead)];
        var read = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        try
        {
            // A character cut at the end of what is read is no error.
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes, 0, WholeCharacters(bytes.AsSpan(0, read)));
        }
        catch (DecoderFallbackException error)
        {
            throw new QuantizeException($"calibration file {path}: not UTF-8: {error.Message}", error);
        }
    }

    private static int WholeCharacters(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.Length;
        while (end > 0 && end > bytes.Length - 3 && (bytes[end - 1] & 0xC0) == 0x80)
            end--;
        return end > 0 && bytes.Length == LargestRead && bytes[end - 1] >= 0xC0 ? end - 1 : bytes.Length;
    }

    private const string BuiltIn =
        """
        A cairn is a heap of stones that marks a way. Where a path crosses bare rock or a broad moor there is nothing to hold a footprint, and
        so people who went before left piles for people who would come after. Each traveller who passes adds a stone. In summer the piles
        look idle, a child's game at the edge of the grass. In November, when cloud comes down to the ground and a compass turns in the hand
        because the rock itself is magnetic, the next grey shape in the grey air is the difference between a cold walk and a night outside.

        The oldest that still stand were built over the dead. Later ones tell sailors where the channel runs, tell herders whose grass
        begins here, and tell hunters where deer will turn. On the coasts of the north they were given arms and legs, and from far away
        they seem to be people who wait. Nobody signs them. A good one leans inward, has its largest stones at the bottom, sheds snow,
        and stands for three hundred years; a bad one falls in the first winter and misleads whoever trusts where it has rolled.

        What makes a mark worth following? First, that it can be seen from the one before it. Second, that it was set by someone who had
        walked the whole way and knew the cliff behind the easy slope. Third, that those who find it wrong move it. "I took the left branch
        at the second cairn," wrote a surveyor in 1871, "and lost four hours; I have moved the cairn." The note is still in the archive,
        beside the measured heights of 214 hills, of which all but nine agree with satellites to within 3.5 metres.

        Machines are guided in much the same way. A network of many layers is a long path of small decisions, and its weights are the
        stones. Written with fewer digits they take less room and are carried faster, but each is set down slightly off its place. If
        the errors lean to every side they cancel, and the walker comes to the same valley; if they all lean to one side, he does not.
        So one walks the same stretch twice, once by the old marks and once by the new, and counts how often both would turn the same way.

        There are rules for this, as for everything that must last: measure before and after; keep what you measured with; say how far
        off you were, even if it was little; never improve a map from memory. Bread costs more in the mountains, but advice is free there,
        and most of it is good: start early, drink before you are thirsty, turn back while turning back is still a choice.
        """;
}
