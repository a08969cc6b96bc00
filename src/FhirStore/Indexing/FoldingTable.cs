using System.Buffers.Binary;
using System.IO.Compression;

namespace FhirStore.Indexing;

/// <summary>
/// What Unicode 14.0.0 makes of each character of the Basic Multilingual Plane by case folding, canonical decomposition and
/// removal of combining marks (case folding, NFD, canonical combining class 0 kept), where that is not the character itself.
/// The runtime's own tables are not there under invariant globalization. Hangul syllables are computed, not listed.
/// </summary>
internal static class FoldingTable
{
    /// <summary>Deflated entries in order: distance from the entry before (2 bytes), number of UTF-16 units (1), the units (2 each), big-endian.</summary>
    private const string Packed = """
        3ZsLfBXVmcDPmXsnEELMxalFNwLe67W0eqJDrW9UilZ8EUgCyDMvSEBCCOQFFxLe8gggD2uAorC22xlb2nV9UEqrRW0FXy1K62tF3K52+7R2ddtaXXv3/OdmJkm9N4Zd8Le7P/n952Rm7sw53/ed73zf+UaxV4YeFjlSVAjZA/4NTAdVaXBr
        GvwBzAV1aWFI8R6tpjRIgL8KaYgG/Z/ssXPG8fTL6LFLoUy9MTq61LOMpvcSM3zIATy5KlPvM2JmLzHLhxzKi27NpKo0YpIX8ovZ/OmhJgV9bg6tTJAj+O3IQM4ZYBgPe215E3fWZdaIvqWEW+r5MyMaeonGj0LO5PFNmQyxF1gQINEdi3pE
        g36vUUIPViKy2/hzHH+upTVBt4xb+HODtkr5Gn9OAlM4t5VbyvlzOi2UZnhq3iHC0kBqRj0XmrpL8mu86OtcWMaf99JayeO/TWttt2EZbWA99z3Ez77DLVv5c79+h3xE9JXyIH8e5OpTtJ6i9SytZ5Fp57zotKxO1R6nnI0evBKQv+CWTsuv
        CZDGpLxxePBsW76bQtcHyDvBge6Gm+a9KRf2XiaP0Ftfmc740xl6OuGkMW9jEIPpnP27UN7Z4JzukuzsVV0v0WHefaTiZ8ZwdP4V3VLV2pAMJr7EuIx1YAMYxXtvAEx2YzQYIx4QQv5/+idD+3u6bpz898/Xgg15XmU/rQV6hooruPCuyJLi
        Xlr3o7x9tPaCfalu65sPgCf486mOoaRuDj0AHgQPBT/7TvDb7wY3fw98HzwMHgE/AEyh0KPgMd7xQ1o/At7b8CChQ+DJ7i9/IuhB1556F07lKX273ncgaHkPeCno+Hd55RFaR4K3Pcq5V8Cr4DXwOvg5eAPgS0K/BL8GvwVvgbfB91KDCXUM
        fy/n3gPv8OcHXFhMqwW0aoQvClAMLgS4+vB4MCHARICXD08GuPrw5eBScA0oAzYYBj4fPO8LwTsuBpcEP7s0eArGEB4OrgRXgavBCPBFMDJ40bXgS+A6MApcD24AN4KbwM1gNCgEY0Q/XjkwGLRB/8IM0Ow+GH2B2C3MChauAqzEYWKPMHFG
        uBYQJoax7DCWHW5KQXaAwCy8GLSCpWC5CHWfGiEZXs+FjWAT2ALuAHeCbWAH2AnuBrvBPYBFM8yiGXbBN8AewKIZvg/cDx4EGEN4H2Bahb8PHgFMsPDhQD0efsQ5ls/wk+BpwMoZ/gl9tgNNd+IFrnZaE1asITtwcXfte8Cou9hBJ64KgI1r
        yA6MDnBNjxgV4M884KbAIj7gzw9BUsOUIARM0AdkgxyQC/IAobBpgdPAQHAGyAcsaOYQEAWsZSZrmUlga34OnAcKwAVafibrm1kJiLlNwm2TJcusBqzxJmujyfprEgaYhAsmQaxZC1jyTdY8cx6YD1iETdZak2XWxAjNZkD8Zy4ELJAmEZ6J
        FzDxAiZewFwClgIWSHM5WAFWglXgNrBaDDPMKn2p3/+Opc3wV6+AN3zcT/rKrKF6KClcH7RuFOf8z7oyQIixMotZkPWYGCCzjvztXO+Y8RnOdF2E40IMOdGSuifzJa3LM3oXDhgZ7lF+48oMPzzvxOn7ZJjRuTL7s9owsm09ObMvFH09bYa7
        3BCW2adpK8n+NBgIzgRREAPngQvENCHyjOxD2Tq84PASv82T2fdw9avaNLLvQ7MXyX6f12/qd6nI8t7UX/bjwf14cL8zuXKeKPWu1OmLRs6onAkixEH7RA63pB6bw+tzYuISI2drzkviYiPnYA4vzjmUOhzM8d7PM2T/64QpGJg+Ua3HY/Q/
        0P8F0cfof1AfJIcXhcHhcSFDHPRpLey53g9OMXKvy+XduaNSh+tyvS60ChGRudrTG7mv5B7mQnB4XUz2ZXdKFznWpjs52uOZ/mzuZ+SNzNvH4WZ9MI28otRhQuowRR9yjbwReXs7htMlzsx7QMs478FuZhJKZ0H9jbytqXfclXrqPamDkzrs
        Sb1js35HrhDlRuScyPmoI/XjEiEsWcD7CiQwQAiEgQmyQB/QF2SDfiAH9Ae54BSQByJgADgVWOBTAMMrwD4KsI+C08EZ4O9APsAYCwaBwWAIOAtgIQUYaMHZIA5YmgqG6ri7oMDY7Itlh7TYE7P+HRAsWiSe1n+AP4YGevdoy90lRI4QzwoR
        /PCox+uFOC3D3NLyH3bS5velRr6ZrwM5I79P6pCdOuSkDrn6EDbyB+hDTGhrz788dX64PoSM/Kv0QRr5V6dOjuQvIYZmftslHq/Q5uM1rtWrTUeY+4UgYukMVUcGwSiLvHOTdjCR53Qr8jwg6I/8FPwMvABeBGQIkZcBgVPkn8Gr4ChgsyVy
        DLwO/gX8HPwreAO8CX4B2ASI/BL8ChBCRX4Dfgt+B94CvwdvA2wggg1EsIEINhDBBiJ/BH8CfwZsKkT+At7X7iryIa2/giTT5Lh0mfY27av6+B740P/59LvLpkZlj0izDdtrHP9ObXWANLuyvUa6LaOaHjGnl6jtEXN7id5uHs1Lg/peouG4
        0dhLHP+Wb3MaLDhuLEyD3u4ezwp67+88G6LC+EFq7KFU2cT4uHrFyUPVCUZv90w/CTSdECR6h8Fk04PJpgeTTae2xE4g9mZG6OOu7gt25k4M9p9gHMiM0MddfSLYUuwBRhr4m5AnEOm0lU5qB7rvhXbtS8gI3c9Nn+Bh3yd8eOoTPXRqJd3w
        ja5X0k284Lb91JzvTT8ow9Nwx6l0yvcvDTnQDR+dDKEep4ohhxBXdiKtuT8WoOdpwS1etSGFcmzvowI0PNMMhNlpur7Z+5fEQ7r3Z5H+nRUSh3sXDZrdNxYy/buYF4U7AqYK0UdGC8X5MkpUEmW3L0rcESWUiLLSRvHbUdb6KGtulPU6io+O
        siJH2e2LstsXZbcvym5fdKn4lIyuEgNldDN/btU5bfTLYoiMkqNESUqiR8RFMhYSpoz11QON5YjTZYzdzdg5Il/GhnPuGvAlzl2vHyWupFUhcmSMXVrBhr4gLYoRosaquJmOxxpo0d3YAj22GJ2MLeYcm44x6r6x1bTWiLNl7Ku0UFjsG2CP
        GCZjDCbGYGJbwFaeQlklRj0oRj0otlcMlzbZt50tN8g4w4qTesVJveKkXnFGGSf1ipN6xUm94qRecVKvOKlXnNQrTuoVJ/WKk3rFSb3ipF5xUq84qVec1CtO6hUn9YqTesVJveKkXvFfZ+XKc1+TcanYK1fURxSJo6I+osgeFbvmih1yxea4
        YiNcXQYoTCjqIwpxKuojCpkq6iOK+ogi6VTkm4rtb0V9RFEfUdRHFBvhip1ORX1EkZIqdsMV9RGFohT1ETUGjAVFgHqQ4iMART1IUQ9SlIIUpX9FPUhRD1LUgxT1IDUVTAOloEwrSlFHMbDiQWjLaNWqVbP0OTUbzOEqbzMwaoOXG8VcwEBU
        s8iWBqM0vFEu5wIfJCg+SFBrwDpACUVRQlGUUBQlFEUJRVFCUZRQFCUURQlFUUJRlFAUJRRFCUVRQlGUUBQlFEUJRVFCUZRQFCUURQlFUUJRlFAUXkJRQlGUUBQlFEURUf0QsN6qQ4DvDtQz4MfgMHge/BSwW6xeApRLFEU/RdFPUfRT1EfU
        G1oG6ne0ft8lVZbqXbFRaMdwUlNX46PbtoOkTaXcplJujwFFgO9g7PHgFjAJTAHTQBmo0Bq1Z9CqBrP0jLWJWW3KaDZewea7EBtPZlNLs3FiGrqF/9IYKG1vG9PbkLXvFqdIG1XZqMpGVTaqslGVjapsVGWjKhtV2ajKRlU2JVKbGpdNjct+
        ks5QAbNRkI2D0NAtfIONlmzcgoZu4RE0dGccnsK+ic2+ic2+if0OXfuwaaR0vqhvdqglOvhHh08NHD41cBCggwAdBOggQAcBOgjQQYAOAnQQoIMAHQToMJMcKpIOFUmHiqRDRdKhIunUstFm9qjQkHSYQg5TyGEKOUwhhynkMIUcppDDFHKY
        Qg5TyGEKOUwhhynk7OxYvYo8DpMu64HLlqJLtcul2uVS7XKpdrkXaGm4fK3lUm11LwGXgSsAq4V7NUBWLrJykZWLrFxk5SIrF1m5yMpFVi6ycpGVi6xcZOUiKxdZucjKRVYusnKRlYusXGTlIiuX6q1bp1cpdxGtFo1BLJYuRVoXGbnIyEVG
        7hq9/rkb8FMsXy6Sce9gWAjFRSgufsXFr7j4FRe/4uJXXPyKi19x8SsGey0GTtIgETXY5DBwg8YuWmvA3Rp7cLouBuxiwC4G7GLALgbsYsAuvsbF17hf5mcsm4Nu52eUa92ntT27z4ss6eJc3Ff0tHX/xM7cZ4TY7m21/zf8weV+Qz+kXLAx
        /ocuu3epbfYsf0vvIiEWSevv2T6m+GGxhltfA/8Avg4c4AIWd4vF3fom2AO+Bb4N/hHcB/4JEKdarPUWa73FWm8Relp8+2ERf1p8/GARoVl8EGHx7YfFtx8W335Y7ERYBHQW335YBIXW44APQCw+ALGIFi0+ybD4AMTiAxCL6M96GjwD+JjM
        +jH4CcB7WMQYFjGGhQuxiDEsYgwLP2IRY1jEGBbOxCLGsIgxLDyKRYxhEWNYxBgWMYZFjGERY1jEGBYxhkWMYRFjWMQYFjGGRYxhsb1rsb1rsb1rsb1rsb1rsb1rvS3OF6MtuYE4oJot3dsZygZGNpceFxKOlPDc3Xf5mMTKvIWr4zHOSfy2
        gk3gZjY5llIRXs3yvAYpr2VPePMmjdlExLUUJuYxxgbGs4qwZQul7B24yUIMtgRXX0PNpJ6bVxdo7KKAMY04oI5R3IaA1xE8ViL+5QhuLeWNUno/k4JILQ+t/09ejiLGEDcWYQXFvHcG6pyNIuopsDQjrmVUbVZToVnNZNyIB9/G8HeyHt39
        vsZCvg5LUBBvxYZX8vI76OkuzrWhyYloqIxzLXztuIygup5d3IWeYDGodvbKJ9LnqVyYTU2nFo3XUfFpvUBjCcFeO9FYMSazjI8aizCFIuxrEYWdVux1JVJrR2DrqdBXHvbl3EZSVEigOIWxlVM8akBbTeQKJUho4QfIBYMvY44VUniaw+Or
        WGFbKQ+VYPoTidoWIJxVBIptzMUaVLuJeTeHbzAredsKrGQ6cmliA6yQ+VmERRQhpll8PNBCX1YgzjaGtYXuFlNDGEeUOom8pRQDrWKi1fHQxLkadzLfv4JCd20DKLR4JxbLXKwhtdmEJEvJeSrIWyoJhmbwkV8dFa75dLyR7/sSaKEVQ19G
        NzZ9hmExEzZz3x0EwcUIpxinNA6/MI+5sPZxf+SlDKaMPk8n/KhhlC3E3Q1ooZBpOOEvvtinIaZytNWAZ2r05ge9WkYEvpUAv52Js40ptJ0S3hg0neChW/Bg7biscqZ6IQY8FiuZQnenMsGqdvjqno9ImhHiKs/kyYN2b0RCqKf9fEbE8GfS
        55nUb2pJDuYynRupQjYRsy8kIG9lQmxH50VsqFfy23YsYizF7GmUGGtxJ5vQTBndrSCxmDXQt7B2elr8OeSHPU/FGKqx8ZmkE7Nw6nMwlUamWhMebCmr7FqMYS1D3YIRtnOhhFHORYjjKGPOx5E2bscBMBvb0dFdpB27dvN4bKMWJ7wcx7eI
        1mLKnS18NluPU5+HwNaToxTy50ryqmISqWJqsqWsPJU4hRZm8hQcWS2OpxpVbCLXWktu1E5utI6Rl3JzEVnI+Ed1FDBxsl5Wqxt1qwgn04CEmjG4BClaApkmkEYCd7iNpKmFSbyU9Xv1qRpt7+nfbibH2/yhjiW244K2o9Adn8UF0Y3NPLkd
        RzYGKxmLmRXRoWIMsxj7K8E/jydkmICIJ7DxPpFOTkT2U3GbU6mBlBMjVHC1ghihgtpeFdleFbKvJoOe5cmACTaXsnIdTmE+v63HGBr5cyH3JZgBCWZZAlNO4KkTDDBB3pfAEhO8YxHdWIQrWPyoPxGXYH9LMMelhPvLKJQvZ4VakfCxCiWv
        wzDXtaNBnNF6nNsGFLCRbH4Ty7wnunbWw21JRIfKyvW8NF4ee4xZs+J0Ld9C5nwRoUERYx+D4ywiLS6iVczKXvy+L8Hx5LfjMZvxCGUiWe1EAoxJGP0kUuDJuJ4pKKgUp1bK4lbGTC/DbZXj5yuw/Iq+gaTLfXFX4gKmsxjNwEvMILmuQm7V
        jf5CNpNFcCbnahK+501NXuKDuc/4apk32NfNAoKnejYO6u/zzbCRRLrJm3EIpZnp1DzEt89mHtWMMhbgARegpYXeSnO/r6oWPEfrFF9pS6/yVbWSPq/EUtfQv3V0bd1qX1VtrC9txABtz/ia89amtrd8Ha5vC3ToWT5GsAWJb2UnqL0lUCky
        2PZqoNwcX8M7T+2ITIyXbzx6Y+pwLYebXyfAugI9jsC5jriMs+OO3cDhlqPPcSg7hgntZoNk9+1iqCGqqX1yuDV10OF4yDt5q9+Yk/qffBr9Q65hNvJJHYeq1KGGwxL/ZK0Ouc1XUhm6+Y5OMEyCsr/Fc91BfGViUCYdNIkXTYZjvsj3glgV
        j5QmS4KJVMyjXDgGCBBN9glMBGe+SYuw0MRbmL8KXvmb4KHPB0950zhynBnAOzKJ0pMsP0kEmWRuJJlSSda5JDtNSfxCEg+RxMSSxDZJvGkS55VkgiTxPUlcRxIPlsSwkiQ9SaZZkpmYxAaSeIMkXjzJqpWc/F8=
        """;

    private static readonly Dictionary<char, string> Entries = Unpack();

    /// <returns><see langword="null"/> where the character stays as it is.</returns>
    public static string? Find(char c) => Entries.GetValueOrDefault(c);

    private static Dictionary<char, string> Unpack()
    {
        using var packed = new MemoryStream(Convert.FromBase64String(Packed));
        using var inflate = new DeflateStream(packed, CompressionMode.Decompress);
        using var plain = new MemoryStream();
        inflate.CopyTo(plain);
        var bytes = plain.GetBuffer().AsSpan(0, (int)plain.Length);
        var entries = new Dictionary<char, string>(2998);
        Span<char> units = stackalloc char[16];
        var character = 0;
        while (!bytes.IsEmpty)
        {
            character += BinaryPrimitives.ReadUInt16BigEndian(bytes);
            int length = bytes[2];
            for (var i = 0; i < length; i++)
            {
                units[i] = (char)BinaryPrimitives.ReadUInt16BigEndian(bytes[(3 + (2 * i))..]);
            }
            entries.Add((char)character, new string(units[..length]));
            bytes = bytes[(3 + (2 * length))..];
        }
        return entries;
    }
}
