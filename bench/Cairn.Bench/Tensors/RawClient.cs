using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Cairn.Bench.Tensors;

/// <summary>A whole HTTP request for one row, and the answer that it must get.</summary>
internal sealed class InferBody
{
    public InferBody(Uri address, string model, float[] row, float answer)
    {
        var json = $$"""{"inputs":[{"name":"features","shape":[1,{{row.Length}}],"datatype":"FP32","data":[{{string.Join(',', row.Select(Show))}}]}]}""";
        (Address, Request) = (address, Encoding.ASCII.GetBytes(
            $"POST /v2/models/{model}/infer HTTP/1.1\r\nHost: {address.Authority}\r\nContent-Type: application/json\r\nContent-Length: {json.Length}\r\n\r\n{json}"));
        End = Encoding.ASCII.GetBytes($"\"data\":[{Show(answer)}]}}]}}");
    }

    public Uri Address { get; }

    public byte[] Request { get; }

    /// <summary>What the answer ends with.</summary>
    public byte[] End { get; }

    private static string Show(float value) => value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>One connection that asks, waits for the answer, checks it and asks again.</summary>
internal static class RawClient
{
    /// <returns>How many were answered, all of them rightly.</returns>
    public static async Task<int> RunAsync(InferBody[] bodies, int first, CancellationToken cancellationToken)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(bodies[0].Address.Host, bodies[0].Address.Port, CancellationToken.None);
        var buffer = new byte[4096];
        var answered = 0;
        for (var i = first; !cancellationToken.IsCancellationRequested; i++)
        {
            var body = bodies[i % bodies.Length];
            await socket.SendAsync(body.Request, CancellationToken.None);
            var length = 0;
            do
            {
                var read = await socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None);
                if (read == 0)
                    throw new InvalidOperationException("the engine closed the connection");
                length += read;
            }
            while (!buffer.AsSpan(0, length).EndsWith("]}]}"u8));
            if (!buffer.AsSpan(0, length).EndsWith(body.End))
                throw new InvalidOperationException($"wrong answer: {Encoding.ASCII.GetString(buffer, 0, length)}");
            answered++;
        }

        return answered;
    }
}
