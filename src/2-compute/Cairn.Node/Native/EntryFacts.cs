using System.Buffers.Binary;

namespace Cairn.Node.Native;

/// <summary>
/// What the kernel says of a path itself, links not followed. statx(2) is used because its result looks the same on every machine.
/// </summary>
internal readonly record struct EntryFacts(bool IsRegularFile, long BytesOnDisk)
{
    private const int CurrentFolder = -100;
    private const int NoFollow = 0x100;
    private const uint TypeAndBlocks = 0x1 | 0x400;
    private const int TypeMask = 0xF000;
    private const int RegularFile = 0x8000;
    private const int ModeAt = 28;
    private const int BlocksAt = 48;
    private const int BlockBytes = 512;

    /// <summary>Null where nothing is there.</summary>
    public static EntryFacts? Read(string path)
    {
        Span<byte> result = stackalloc byte[256];
        if (Posix.StatX(CurrentFolder, path, NoFollow, TypeAndBlocks, result) != 0)
            return null;
        var mode = BinaryPrimitives.ReadUInt16LittleEndian(result[ModeAt..]);
        return new EntryFacts((mode & TypeMask) == RegularFile, BinaryPrimitives.ReadInt64LittleEndian(result[BlocksAt..]) * BlockBytes);
    }
}
