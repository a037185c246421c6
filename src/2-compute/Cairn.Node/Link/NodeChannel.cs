using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cairn.Contracts.Wire;
using Grpc.Core;
using Grpc.Net.Client;

namespace Cairn.Node.Link;

/// <summary>Connections to a control plane that trust one CA and nothing else.</summary>
public static class NodeChannel
{
    /// <summary>A channel that accepts only certificates for the server's host that <paramref name="authority"/> issued.</summary>
    /// <param name="server"><c>host:port</c>.</param>
    public static GrpcChannel Open(string server, X509Certificate2 authority)
    {
        ArgumentNullException.ThrowIfNull(authority);
        return Open(server, (_, leaf, chain, errors) => IsIssuedBy(authority, leaf, chain, errors));
    }

    /// <summary>
    /// Learns the CA's certificate and holds it against the hash in the token. The connection that brings it is not trusted: nothing
    /// secret is sent over it, and a forged certificate does not have the hash.
    /// </summary>
    /// <returns>The certificate; null where the server's CA has another hash.</returns>
    /// <exception cref="RpcException">The server cannot be reached.</exception>
    public static async Task<X509Certificate2?> FindAuthorityAsync(string server, string sha256, CancellationToken cancellationToken)
    {
        using var channel = Open(server, (_, _, _, _) => true);
        var reply = await new NodeLink.NodeLinkClient(channel).GetAuthorityAsync(new GetAuthorityRequest(),
            deadline: null, cancellationToken: cancellationToken);
        var der = reply.Certificate.ToByteArray();
        return Convert.ToHexStringLower(SHA256.HashData(der)) == sha256 ? X509CertificateLoader.LoadCertificate(der) : null;
    }

    /// <summary>Whether a call failed because the server's certificate was not accepted.</summary>
    internal static bool IsCertificateFault(RpcException error)
    {
        for (var at = error.Status.DebugException; at is not null; at = at.InnerException)
        {
            if (at is AuthenticationException)
                return true;
        }
        return false;
    }

    internal static bool IsIssuedBy(X509Certificate2 authority, X509Certificate? leaf, X509Chain? presented, SslPolicyErrors errors)
    {
        // The name and the presence of a certificate are the platform's verdict; only the chain's root is ours to choose.
        if (leaf is null || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != SslPolicyErrors.None)
            return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        foreach (var extra in presented?.ChainPolicy.ExtraStore ?? [])
            chain.ChainPolicy.ExtraStore.Add(extra);
        return chain.Build(leaf as X509Certificate2 ?? X509CertificateLoader.LoadCertificate(leaf.GetRawCertData()));
    }

    private static GrpcChannel Open(string server, RemoteCertificateValidationCallback accepts)
    {
        var sockets = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = accepts },
            ConnectTimeout = TimeSpan.FromSeconds(10),
            KeepAlivePingDelay = TimeSpan.FromSeconds(20),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(20),
            EnableMultipleHttp2Connections = true,
            UseProxy = false,
        };
        return GrpcChannel.ForAddress("https://" + server, new GrpcChannelOptions { HttpHandler = sockets, DisposeHttpClient = true });
    }
}
