using System.Buffers;
using System.Buffers.Binary;
using Cairn.Frameworks.Engine.OpenInference.Wire;
using Cairn.Serving.Gateway.OpenInference.Grpc;
using CsCheck;
using Google.Protobuf;

namespace Cairn.Serving.Tests.OpenInference;

public sealed class A_message_is_renamed
{
    [Fact]
    public void In_whatever_pieces_it_comes_and_nothing_else_of_it_changes()
    {
        var message = Gen.Select(Gen.String[Gen.Char.AlphaNumeric, 0, 20], Gen.Byte.Array[0, 300], Gen.Byte.Array[0, 300], Gen.Double);
        Gen.Select(message.Array[1, 4], Gen.Int[1, 50], Gen.String[Gen.Char.AlphaNumeric, 1, 200]).Sample((messages, piece, upstream) =>
        {
            var requests = messages.Select(m => new ModelInferRequest
            {
                ModelName = "asked", Id = m.Item1, RawInputContents = { ByteString.CopyFrom(m.Item2), ByteString.CopyFrom(m.Item3) },
                Parameters = { ["p"] = new InferParameter { DoubleParam = m.Item4 } },
            }).ToList();
            var rename = new ModelRename(1, "asked", upstream);
            var target = new ArrayBufferWriter<byte>();
            foreach (var bytes in requests.SelectMany(r => Framed(r.ToByteArray())).Chunk(piece))
                Assert.True(rename.Feed(bytes, target));
            Assert.False(rename.IsWithin);
            Assert.Equal(requests.Count, rename.Messages);
            requests.ForEach(r => r.ModelName = upstream);
            Assert.Equal(requests.SelectMany(r => Framed(r.ToByteArray())), target.WrittenSpan.ToArray());
        }, iter: 200);
    }

    [Fact]
    public void Wherever_in_it_the_name_stands()
    {
        byte[] message = [0x1A, 1, (byte)'7', 0x18, 0x80, 0x01, 0x1D, 1, 2, 3, 4, 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x0A, 1, (byte)'a', 0x3A, 0];
        Assert.Equal(("a", null), ModelRename.Peek(Framed(message), 1));
        var target = new ArrayBufferWriter<byte>();
        Assert.True(new ModelRename(1, "a", "up").Feed(Framed(message), target));
        Assert.Equal(Framed([.. message[..20], 0x0A, 2, (byte)'u', (byte)'p', 0x3A, 0]), target.WrittenSpan.ToArray());
    }

    [Fact]
    public void Not_where_another_reader_could_find_another_name_in_it()
    {
        byte[] named = [0x0A, 1, (byte)'a'];
        Assert.Equal(GrpcFault.NoMessage, FaultOf([.. named, 0x0A, 1, (byte)'b']));
        Assert.Equal(GrpcFault.NoMessage, FaultOf([.. named, 0x3A, 100, 0]));
        Assert.Equal(GrpcFault.NoMessage, FaultOf([.. named, 0x0B]));
        Assert.Equal(GrpcFault.NoMessage, FaultOf([0x08, 1, .. named]));
        Assert.Equal(GrpcFault.NoMessage, FaultOf([.. named, 0x8A, 0x80, 0x80, 0x80, 0x10, 1, (byte)'b']));
        Assert.Equal(GrpcFault.NoMessage, FaultOf([.. named, 0x8A, 0x80, 0x80, 0x80, 0x80, 0x00, 1, (byte)'b']));
        Assert.Equal(GrpcFault.NoMessage, FaultOf([.. named, 0x3A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F]));
        Assert.Equal(GrpcFault.NoMessage, FaultOf([.. named, 0x00]));
        Assert.Equal(GrpcFault.OtherModel, FaultOf([0x0A, 1, (byte)'b']));
        Assert.Equal(GrpcFault.NoModel, FaultOf([0x1A, 1, (byte)'b']));
        Assert.Equal(GrpcFault.NoModel, FaultOf([]));
        Assert.Null(FaultOf(named));
    }

    [Fact]
    public void Not_where_it_is_compressed_or_nameless()
    {
        byte[] packed = [1, 0, 0, 0, 1, 0];
        Assert.Equal((null, GrpcFault.Packed), ModelRename.Peek(packed, 1));
        var rename = new ModelRename(1, "a", "up");
        Assert.False(rename.Feed(packed, new ArrayBufferWriter<byte>()));
        Assert.Equal(GrpcFault.Packed, rename.Fault);
        Assert.Equal((null, GrpcFault.NoModel), ModelRename.Peek(Framed([0x0A, 0]), 1));
        Assert.Equal((null, GrpcFault.NoModel), ModelRename.Peek(Framed([0x3A, 0x80, 0x80, 0x08, .. new byte[128 << 10], 0x0A, 1, (byte)'a']), 1));
        Assert.Equal((null, null), ModelRename.Peek([0, 0, 0, 0, 9, 0x0A, 5, (byte)'a'], 1));
    }

    private static GrpcFault? FaultOf(byte[] message)
    {
        var rename = new ModelRename(1, "a", "up");
        rename.Feed(Framed(message), new ArrayBufferWriter<byte>());
        return rename.Fault;
    }

    private static byte[] Framed(byte[] message)
    {
        var frame = new byte[5 + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        message.CopyTo(frame, 5);
        return frame;
    }
}
